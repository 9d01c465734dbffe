-- The schema of Lars on MySQL 5.7, MySQL 8 and MariaDB. `lars db init` runs it; it creates what is missing and
-- changes nothing that is there. The first six tables are those of the C++ Lars, column by column.

CREATE TABLE IF NOT EXISTS RouteData (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    serverip INT UNSIGNED NOT NULL,    -- IPv4 as a number in host order
    serverport INT UNSIGNED NOT NULL,
    weight INT NOT NULL DEFAULT 100,   -- ours from here on: share of calls, 0 to 1000
    zone VARCHAR(64) NOT NULL DEFAULT '',
    tags TEXT,                         -- a JSON list
    note VARCHAR(255) NOT NULL DEFAULT '',
    drained_weight INT,                -- the weight to restore; NULL unless the host is drained
    drained_until BIGINT NOT NULL DEFAULT 0,  -- Unix seconds; 0: until an operator ends the drain
    drain_reason VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    UNIQUE KEY route (modid, cmdid, serverip, serverport),
    KEY RouteData_host (serverip, serverport),
    KEY RouteData_drained (drained_until)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- One row, id 1. Any difference is a change, a smaller version too.
CREATE TABLE IF NOT EXISTS RouteVersion (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    version INT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Which modules changed with each version; pruned by age, never complete (a C++ dns empties it).
CREATE TABLE IF NOT EXISTS RouteChange (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The latest report of each caller for each host.
CREATE TABLE IF NOT EXISTS ServerCallStatus (
    modid INT NOT NULL,
    cmdid INT NOT NULL,
    ip INT UNSIGNED NOT NULL,
    port INT UNSIGNED NOT NULL,
    caller INT UNSIGNED NOT NULL,
    succ_cnt INT NOT NULL,
    err_cnt INT NOT NULL,
    ts BIGINT NOT NULL,                -- Unix seconds
    overload CHAR(1) NOT NULL,         -- '0' idle, '1' overloaded
    PRIMARY KEY (modid, cmdid, ip, port, caller),
    KEY ServerCallStatus_overload (overload)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS ModIDConfig (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    modid INT UNSIGNED NOT NULL,
    content CHAR(255) NOT NULL,
    PRIMARY KEY (id),
    KEY ModIDConfig_modid (modid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

CREATE TABLE IF NOT EXISTS CmdIDConfig (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    cmdid INT UNSIGNED NOT NULL,
    content CHAR(255) NOT NULL,
    PRIMARY KEY (id),
    KEY CmdIDConfig_cmdid (cmdid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Ours from here on.

-- Which steps of `lars db init` this database has had: one row, id 1.
CREATE TABLE IF NOT EXISTS SchemaVersion (
    id INT UNSIGNED NOT NULL,
    version INT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Rows of RouteData that said again what another row says, set aside when the unique key was added.
CREATE TABLE IF NOT EXISTS RouteDuplicate (
    id INT UNSIGNED NOT NULL,
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    serverip INT UNSIGNED NOT NULL,
    serverport INT UNSIGNED NOT NULL,
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Calls of all callers by minute, module and host.
CREATE TABLE IF NOT EXISTS ServerCallHistory (
    minute INT UNSIGNED NOT NULL,      -- Unix seconds, a multiple of 60
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    ip INT UNSIGNED NOT NULL,
    port INT UNSIGNED NOT NULL,
    succ_cnt BIGINT UNSIGNED NOT NULL,
    err_cnt BIGINT UNSIGNED NOT NULL,
    approximate BIGINT UNSIGNED NOT NULL,  -- how many of these calls were derived from a C++ agent's running counters
    PRIMARY KEY (minute, modid, cmdid, ip, port),
    KEY module (modid, cmdid, minute)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- The last report of each run of each agent whose counts are in the tables above.
CREATE TABLE IF NOT EXISTS ReportCursor (
    caller INT UNSIGNED NOT NULL,
    boot BIGINT NOT NULL,              -- the 64 bits as a signed number
    seq INT UNSIGNED NOT NULL,
    ts BIGINT NOT NULL,                -- Unix seconds, when it was committed
    PRIMARY KEY (caller, boot)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Which run of a write is committed, for a service that lost the answer; row 0: see one_at_a_time_txn.
CREATE TABLE IF NOT EXISTS WriteCursor (
    id BIGINT NOT NULL,                -- chosen at random
    seq BIGINT NOT NULL,               -- the run
    ts BIGINT NOT NULL,                -- Unix seconds
    PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- When each caller was last heard of.
CREATE TABLE IF NOT EXISTS CallerSeen (
    caller INT UNSIGNED NOT NULL,
    ts BIGINT NOT NULL,                -- Unix seconds by the database's clock
    skew INT NOT NULL DEFAULT 0,       -- seconds by which its clock is ahead
    PRIMARY KEY (caller)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who changed what; written in the edit's transaction. With `what` modid or cmdid, one id's name was changed and the
-- other id is 0; with account, users or tokens were, and both are 0.
CREATE TABLE IF NOT EXISTS RouteAudit (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    ts BIGINT NOT NULL,                -- Unix seconds
    actor VARCHAR(255) NOT NULL,
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    version BIGINT UNSIGNED NOT NULL,
    hosts_before MEDIUMTEXT NOT NULL,  -- "10.0.0.5:80 10.0.0.6:80", or a name
    hosts_after MEDIUMTEXT NOT NULL,
    what VARCHAR(16) NOT NULL DEFAULT 'hosts',
    PRIMARY KEY (id),
    KEY module (modid, cmdid, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Alarms that lars-reporter has raised; an alarm stands while cleared_at is 0. Numbers that do not apply are 0.
CREATE TABLE IF NOT EXISTS Alarm (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
    rule VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    what VARCHAR(32) NOT NULL,         -- err_rate, overloaded_host, no_idle_host, silent_caller
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    ip INT UNSIGNED NOT NULL,
    port INT UNSIGNED NOT NULL,
    caller INT UNSIGNED NOT NULL,
    text VARCHAR(255) NOT NULL,        -- what was wrong when it was raised
    raised_at BIGINT NOT NULL,         -- Unix seconds
    cleared_at BIGINT NOT NULL,
    webhook VARCHAR(1024) NOT NULL,    -- where it is posted; empty: nowhere
    raise_told INT NOT NULL,           -- 0 to be posted, 1 posted, 2 given up
    clear_told INT NOT NULL,
    text_now VARCHAR(255) NOT NULL DEFAULT '',  -- what is wrong now, or was last
    clear_reason VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    UNIQUE KEY standing (rule, modid, cmdid, ip, port, caller, cleared_at),
    KEY cleared (cleared_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Which lars-reporter evaluates a rule and posts its alarms; the rule '' stands for alarms whose rule no reporter has.
CREATE TABLE IF NOT EXISTS AlarmRule (
    rule VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    owner VARCHAR(64) NOT NULL,        -- one run of one lars-reporter
    expires_at BIGINT NOT NULL,        -- Unix milliseconds
    PRIMARY KEY (rule)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who may sign in to lars-web.
CREATE TABLE IF NOT EXISTS User (
    name VARCHAR(64) NOT NULL,         -- lower case
    password VARCHAR(255) NOT NULL,    -- an argon2 hash
    role VARCHAR(16) NOT NULL,         -- viewer, editor or admin
    created_at BIGINT NOT NULL,        -- Unix seconds
    ranges VARCHAR(500) NOT NULL DEFAULT '',  -- the modules that the user edits; empty: all
    PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Who is signed in.
CREATE TABLE IF NOT EXISTS Session (
    digest CHAR(64) NOT NULL,          -- SHA-256 of the cookie
    user_name VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,        -- Unix seconds
    expires_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL DEFAULT 0,  -- Unix seconds, to the minute
    address VARCHAR(64) NOT NULL DEFAULT '',
    browser VARCHAR(255) NOT NULL DEFAULT '',
    PRIMARY KEY (digest),
    KEY user_name (user_name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What programs show to the API of lars-web.
CREATE TABLE IF NOT EXISTS ApiToken (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT,
    digest CHAR(64) NOT NULL,          -- SHA-256 of the token
    name VARCHAR(100) NOT NULL,
    user_name VARCHAR(64) NOT NULL,    -- who made it, and whose end is its end
    role VARCHAR(16) NOT NULL,         -- register, viewer, editor or admin
    created_at BIGINT NOT NULL,        -- Unix seconds
    ranges VARCHAR(500) NOT NULL DEFAULT '',  -- the modules that it edits; empty: all of its user's
    expires_at BIGINT NOT NULL DEFAULT 0,  -- Unix seconds; 0: never
    used_at BIGINT NOT NULL DEFAULT 0,  -- Unix seconds, to the minute
    PRIMARY KEY (id),
    UNIQUE KEY digest (digest)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Hosts that stay in their route only as long as they say so.
CREATE TABLE IF NOT EXISTS RouteLease (
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    ip INT UNSIGNED NOT NULL,
    port INT UNSIGNED NOT NULL,
    ttl INT UNSIGNED NOT NULL,         -- seconds
    expires_at BIGINT NOT NULL,        -- Unix milliseconds
    owner VARCHAR(255) NOT NULL,       -- whose token registered it
    PRIMARY KEY (modid, cmdid, ip, port),
    KEY expires (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What a module sets; a module without a row has the agents' defaults.
CREATE TABLE IF NOT EXISTS ModuleSettings (
    modid INT UNSIGNED NOT NULL,
    cmdid INT UNSIGNED NOT NULL,
    settings TEXT NOT NULL,            -- a JSON object of names and values
    version BIGINT UNSIGNED NOT NULL,  -- the route version that changed it last
    PRIMARY KEY (modid, cmdid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- How each caller sees each host: its state, why and since when, and how its calls of the last minute went. Only hosts
-- that it has called, or that are not healthy.
CREATE TABLE IF NOT EXISTS CallerHost (
    modid INT NOT NULL,
    cmdid INT NOT NULL,
    ip INT UNSIGNED NOT NULL,
    port INT UNSIGNED NOT NULL,
    caller INT UNSIGNED NOT NULL,
    ts BIGINT NOT NULL,          -- Unix seconds, as are all times here
    state INT NOT NULL,       -- 1 healthy, 2 ejected, 3 unhealthy, 4 draining, 5 warming up
    since BIGINT NOT NULL,       -- when the state began
    latency BIGINT NOT NULL,     -- microseconds; 0: not known
    reason VARCHAR(64) NOT NULL,
    succ_cnt BIGINT NOT NULL DEFAULT 0,
    err_cnt BIGINT NOT NULL DEFAULT 0,
    counted_at BIGINT NOT NULL DEFAULT 0,  -- when the period of these calls ended
    period INT NOT NULL DEFAULT 0,      -- seconds
    PRIMARY KEY (modid, cmdid, ip, port, caller),
    KEY CallerHost_state (state),
    KEY CallerHost_caller (caller)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- Which version of each route each caller holds.
CREATE TABLE IF NOT EXISTS CallerRoute (
    modid INT NOT NULL,
    cmdid INT NOT NULL,
    caller INT UNSIGNED NOT NULL,
    version BIGINT NOT NULL,     -- 0: its lars-dns does not say
    ts BIGINT NOT NULL,
    PRIMARY KEY (modid, cmdid, caller),
    KEY CallerRoute_caller (caller)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

-- What each agent says of itself.
CREATE TABLE IF NOT EXISTS AgentInfo (
    caller INT UNSIGNED NOT NULL,
    ts BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    hostname VARCHAR(255) NOT NULL,
    version VARCHAR(64) NOT NULL,
    zone VARCHAR(64) NOT NULL,
    dns VARCHAR(255) NOT NULL,            -- the server that it is linked to; empty: none
    reporter VARCHAR(255) NOT NULL,
    settings VARCHAR(1000) NOT NULL,       -- a line for each that is not the default
    PRIMARY KEY (caller)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
