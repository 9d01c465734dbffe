-- The database as the open-source C++ Lars makes it, with rows as its tools leave them. {address} is the type of ip,
-- port and caller in ServerCallStatus: its versions differ.

CREATE TABLE `RouteData` (
    `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
    `modid` int(10) unsigned NOT NULL,
    `cmdid` int(10) unsigned NOT NULL,
    `serverip` int(10) unsigned NOT NULL,
    `serverport` int(10) unsigned NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE `RouteVersion` (
    `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
    `version` int(10) unsigned NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE `RouteChange` (
    `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
    `modid` int(10) unsigned NOT NULL,
    `cmdid` int(10) unsigned NOT NULL,
    `version` bigint(20) unsigned NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE `ServerCallStatus` (
    `modid` int(11) NOT NULL,
    `cmdid` int(11) NOT NULL,
    `ip` {address} NOT NULL,
    `port` {address} NOT NULL,
    `caller` {address} NOT NULL,
    `succ_cnt` int(11) NOT NULL,
    `err_cnt` int(11) NOT NULL,
    `ts` bigint(20) NOT NULL,
    `overload` char(1) NOT NULL,
    PRIMARY KEY (`modid`, `cmdid`, `ip`, `port`, `caller`),
    KEY `mlb_index` (`modid`, `cmdid`, `ip`, `port`, `caller`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE `ModIDConfig` (
    `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
    `modid` int(10) unsigned NOT NULL,
    `content` char(255) NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

CREATE TABLE `CmdIDConfig` (
    `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
    `cmdid` int(10) unsigned NOT NULL,
    `content` char(255) NOT NULL,
    PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8;

-- 3232235953 is 192.168.1.177. Rows 3 and 5 say again what 1 says, row 6 what 4 says.
INSERT INTO RouteData (id, modid, cmdid, serverip, serverport) VALUES
    (1, 1, 1, 3232235953, 7777),
    (2, 1, 1, 3232240001, 7001),
    (3, 1, 1, 3232235953, 7777),
    (4, 1, 2, 3232235954, 7776),
    (5, 1, 1, 3232235953, 7777),
    (6, 1, 2, 3232235954, 7776);
INSERT INTO RouteVersion (version) VALUES (1544422320);
INSERT INTO RouteChange (modid, cmdid, version) VALUES (1, 1, 1544422320), (1, 2, 1544422320);
INSERT INTO ModIDConfig (modid, content) VALUES (1, '支付');
INSERT INTO CmdIDConfig (cmdid, content) VALUES (1, 'ré');
