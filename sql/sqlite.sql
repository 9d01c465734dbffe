-- The schema of Lars on SQLite. `lars db init` runs it; it creates what is missing and
-- changes nothing that is there. The first six tables are those of the C++ Lars, column by column.

CREATE TABLE IF NOT EXISTS RouteData (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    serverip INTEGER NOT NULL,    -- IPv4 as a number in host order
    serverport INTEGER NOT NULL,
    weight INTEGER NOT NULL DEFAULT 100,   -- ours from here on: share of calls, 0 to 1000
    zone TEXT NOT NULL DEFAULT '',
    tags TEXT,                             -- a JSON list
    note TEXT NOT NULL DEFAULT '',
    drained_weight INTEGER,                -- the weight to restore; NULL unless the host is drained
    drained_until INTEGER NOT NULL DEFAULT 0,  -- Unix seconds; 0: until an operator ends the drain
    drain_reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS route ON RouteData (modid, cmdid, serverip, serverport);
CREATE INDEX IF NOT EXISTS RouteData_host ON RouteData (serverip, serverport);
CREATE INDEX IF NOT EXISTS RouteData_drained ON RouteData (drained_until);

-- One row, id 1. Any difference is a change, a smaller version too.
CREATE TABLE IF NOT EXISTS RouteVersion (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version INTEGER NOT NULL
);

-- Which modules changed with each version; pruned by age, never complete (a C++ dns empties it).
CREATE TABLE IF NOT EXISTS RouteChange (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    version INTEGER NOT NULL
);

-- The latest report of each caller for each host.
CREATE TABLE IF NOT EXISTS ServerCallStatus (
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    ip INTEGER NOT NULL,
    port INTEGER NOT NULL,
    caller INTEGER NOT NULL,
    succ_cnt INTEGER NOT NULL,
    err_cnt INTEGER NOT NULL,
    ts INTEGER NOT NULL,                -- Unix seconds
    overload TEXT NOT NULL,         -- '0' idle, '1' overloaded
    PRIMARY KEY (modid, cmdid, ip, port, caller)
);
CREATE INDEX IF NOT EXISTS ServerCallStatus_overload ON ServerCallStatus (overload);

CREATE TABLE IF NOT EXISTS ModIDConfig (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    modid INTEGER NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ModIDConfig_modid ON ModIDConfig (modid);

CREATE TABLE IF NOT EXISTS CmdIDConfig (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cmdid INTEGER NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS CmdIDConfig_cmdid ON CmdIDConfig (cmdid);

-- Ours from here on.

-- Which steps of `lars db init` this database has had: one row, id 1.
CREATE TABLE IF NOT EXISTS SchemaVersion (
    id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
);

-- Rows of RouteData that said again what another row says, set aside when the unique key was added.
CREATE TABLE IF NOT EXISTS RouteDuplicate (
    id INTEGER NOT NULL,
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    serverip INTEGER NOT NULL,
    serverport INTEGER NOT NULL,
    PRIMARY KEY (id)
);

-- Calls of all callers by minute, module and host.
CREATE TABLE IF NOT EXISTS ServerCallHistory (
    minute INTEGER NOT NULL,      -- Unix seconds, a multiple of 60
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    ip INTEGER NOT NULL,
    port INTEGER NOT NULL,
    succ_cnt INTEGER NOT NULL,
    err_cnt INTEGER NOT NULL,
    approximate INTEGER NOT NULL,  -- how many of these calls were derived from a C++ agent's running counters
    PRIMARY KEY (minute, modid, cmdid, ip, port)
);
CREATE INDEX IF NOT EXISTS ServerCallHistory_module ON ServerCallHistory (modid, cmdid, minute);

-- The last report of each run of each agent whose counts are in the tables above.
CREATE TABLE IF NOT EXISTS ReportCursor (
    caller INTEGER NOT NULL,
    boot INTEGER NOT NULL,             -- the 64 bits as a signed number
    seq INTEGER NOT NULL,
    ts INTEGER NOT NULL,                -- Unix seconds, when it was committed
    PRIMARY KEY (caller, boot)
);

-- Which run of a write is committed, for a service that lost the answer; row 0: see one_at_a_time_txn.
CREATE TABLE IF NOT EXISTS WriteCursor (
    id INTEGER NOT NULL,               -- chosen at random
    seq INTEGER NOT NULL,              -- the run
    ts INTEGER NOT NULL,               -- Unix seconds
    PRIMARY KEY (id)
);

-- When each caller was last heard of.
CREATE TABLE IF NOT EXISTS CallerSeen (
    caller INTEGER NOT NULL,
    ts INTEGER NOT NULL,                -- Unix seconds by the database's clock
    skew INTEGER NOT NULL DEFAULT 0,    -- seconds by which its clock is ahead
    PRIMARY KEY (caller)
);

-- Who changed what; written in the edit's transaction. With `what` modid or cmdid, one id's name was changed and the
-- other id is 0; with account, users or tokens were, and both are 0.
CREATE TABLE IF NOT EXISTS RouteAudit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ts INTEGER NOT NULL,                -- Unix seconds
    actor TEXT NOT NULL,
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hosts_before TEXT NOT NULL,  -- "10.0.0.5:80 10.0.0.6:80", or a name
    hosts_after TEXT NOT NULL,
    what TEXT NOT NULL DEFAULT 'hosts'
);
CREATE INDEX IF NOT EXISTS RouteAudit_module ON RouteAudit (modid, cmdid, id);

-- Alarms that lars-reporter has raised; an alarm stands while cleared_at is 0. Numbers that do not apply are 0.
CREATE TABLE IF NOT EXISTS Alarm (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rule TEXT NOT NULL,
    what TEXT NOT NULL,                -- err_rate, overloaded_host, no_idle_host, silent_caller
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    ip INTEGER NOT NULL,
    port INTEGER NOT NULL,
    caller INTEGER NOT NULL,
    text TEXT NOT NULL,                -- what was wrong when it was raised
    raised_at INTEGER NOT NULL,        -- Unix seconds
    cleared_at INTEGER NOT NULL,
    webhook TEXT NOT NULL,             -- where it is posted; empty: nowhere
    raise_told INTEGER NOT NULL,       -- 0 to be posted, 1 posted, 2 given up
    clear_told INTEGER NOT NULL,
    text_now TEXT NOT NULL DEFAULT '',  -- what is wrong now, or was last
    clear_reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX IF NOT EXISTS Alarm_standing ON Alarm (rule, modid, cmdid, ip, port, caller, cleared_at);
CREATE INDEX IF NOT EXISTS Alarm_cleared ON Alarm (cleared_at);

-- Which lars-reporter evaluates a rule and posts its alarms; the rule '' stands for alarms whose rule no reporter has.
CREATE TABLE IF NOT EXISTS AlarmRule (
    rule TEXT NOT NULL,
    owner TEXT NOT NULL,              -- one run of one lars-reporter
    expires_at INTEGER NOT NULL,      -- Unix milliseconds
    PRIMARY KEY (rule)
);

-- Who may sign in to lars-web.
CREATE TABLE IF NOT EXISTS User (
    name TEXT NOT NULL,         -- lower case
    password TEXT NOT NULL,     -- an argon2 hash
    role TEXT NOT NULL,         -- viewer, editor or admin
    created_at INTEGER NOT NULL,  -- Unix seconds
    ranges VARCHAR(500) NOT NULL DEFAULT '',  -- the modules that the user edits; empty: all
    PRIMARY KEY (name)
);

-- Who is signed in.
CREATE TABLE IF NOT EXISTS Session (
    digest TEXT NOT NULL,       -- SHA-256 of the cookie
    user_name TEXT NOT NULL,
    created_at INTEGER NOT NULL,  -- Unix seconds
    expires_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL DEFAULT 0,  -- Unix seconds, to the minute
    address VARCHAR(64) NOT NULL DEFAULT '',
    browser VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (digest)
);
CREATE INDEX IF NOT EXISTS Session_user ON Session (user_name);

-- What programs show to the API of lars-web.
CREATE TABLE IF NOT EXISTS ApiToken (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL,       -- SHA-256 of the token
    name TEXT NOT NULL,
    user_name TEXT NOT NULL,    -- who made it, and whose end is its end
    role TEXT NOT NULL,         -- register, viewer, editor or admin
    created_at INTEGER NOT NULL,  -- Unix seconds
    ranges VARCHAR(500) NOT NULL DEFAULT '',  -- the modules that it edits; empty: all of its user's
    expires_at INTEGER NOT NULL DEFAULT 0,  -- Unix seconds; 0: never
    used_at INTEGER NOT NULL DEFAULT 0  -- Unix seconds, to the minute
);
CREATE UNIQUE INDEX IF NOT EXISTS ApiToken_digest ON ApiToken (digest);

-- Hosts that stay in their route only as long as they say so.
CREATE TABLE IF NOT EXISTS RouteLease (
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    ip INTEGER NOT NULL,
    port INTEGER NOT NULL,
    ttl INTEGER NOT NULL,         -- seconds
    expires_at INTEGER NOT NULL,  -- Unix milliseconds
    owner TEXT NOT NULL,          -- whose token registered it
    PRIMARY KEY (modid, cmdid, ip, port)
);
CREATE INDEX IF NOT EXISTS RouteLease_expires ON RouteLease (expires_at);

-- What a module sets; a module without a row has the agents' defaults.
CREATE TABLE IF NOT EXISTS ModuleSettings (
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    settings TEXT NOT NULL,            -- a JSON object of names and values
    version INTEGER NOT NULL,          -- the route version that changed it last
    PRIMARY KEY (modid, cmdid)
);

-- How each caller sees each host: its state, why and since when, and how its calls of the last minute went. Only hosts
-- that it has called, or that are not healthy.
CREATE TABLE IF NOT EXISTS CallerHost (
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    ip INTEGER NOT NULL,
    port INTEGER NOT NULL,
    caller INTEGER NOT NULL,
    ts INTEGER NOT NULL,          -- Unix seconds, as are all times here
    state INTEGER NOT NULL,       -- 1 healthy, 2 ejected, 3 unhealthy, 4 draining, 5 warming up
    since INTEGER NOT NULL,       -- when the state began
    latency INTEGER NOT NULL,     -- microseconds; 0: not known
    reason TEXT NOT NULL,
    succ_cnt INTEGER NOT NULL DEFAULT 0,
    err_cnt INTEGER NOT NULL DEFAULT 0,
    counted_at INTEGER NOT NULL DEFAULT 0,  -- when the period of these calls ended
    period INTEGER NOT NULL DEFAULT 0,      -- seconds
    PRIMARY KEY (modid, cmdid, ip, port, caller)
);
CREATE INDEX IF NOT EXISTS CallerHost_state ON CallerHost (state);
CREATE INDEX IF NOT EXISTS CallerHost_caller ON CallerHost (caller);

-- Which version of each route each caller holds.
CREATE TABLE IF NOT EXISTS CallerRoute (
    modid INTEGER NOT NULL,
    cmdid INTEGER NOT NULL,
    caller INTEGER NOT NULL,
    version INTEGER NOT NULL,     -- 0: its lars-dns does not say
    ts INTEGER NOT NULL,
    PRIMARY KEY (modid, cmdid, caller)
);
CREATE INDEX IF NOT EXISTS CallerRoute_caller ON CallerRoute (caller);

-- What each agent says of itself.
CREATE TABLE IF NOT EXISTS AgentInfo (
    caller INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    hostname TEXT NOT NULL,
    version TEXT NOT NULL,
    zone TEXT NOT NULL,
    dns TEXT NOT NULL,            -- the server that it is linked to; empty: none
    reporter TEXT NOT NULL,
    settings TEXT NOT NULL,       -- a line for each that is not the default
    PRIMARY KEY (caller)
);
