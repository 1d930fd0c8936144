-- A database of some thousand rows: indexes, joins, updates, deletes, text of many lengths.
CREATE TABLE item (id INTEGER PRIMARY KEY, owner INTEGER, size INTEGER, note TEXT);
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499)
INSERT INTO owner SELECT i, 'owner-' || i FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 59999)
INSERT INTO item SELECT i, i * 7919 % 500, i * 104729 % 10007,
	substr(hex(zeroblob(100)), 1, i % 200) || i FROM n;
COMMIT;
CREATE INDEX item_owner ON item (owner);
CREATE INDEX item_note ON item (note);
SELECT count(*), sum(size), sum(length(note)) FROM item;
SELECT name, count(*), max(size) FROM item JOIN owner ON owner.id = item.owner
	GROUP BY name ORDER BY 2 DESC, 1 LIMIT 5;
UPDATE item SET note = note || 'x' WHERE size % 3 = 0;
DELETE FROM item WHERE size % 7 = 0;
SELECT group_concat(note) LIKE '%x%', length(group_concat(note)) FROM item;
SELECT count(*) FROM item a JOIN item b ON a.size = b.id WHERE a.owner < 100;
SELECT size, count(*) FROM item GROUP BY size ORDER BY 2 DESC, 1 LIMIT 5;
VACUUM;
PRAGMA integrity_check;
SELECT sum(id), min(note), max(note) FROM item;
