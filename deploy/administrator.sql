-- What an administrator does once in a new database, so that thanopg is installed and run by roles that may do no more than
-- they must. The container of docker-compose.yml plays it with psql when it makes its cluster.
--
-- Passwords are read where psql runs; without one a role can't log in.

\set owner_password `cat /run/secrets/owner`
\set worker_password `cat /run/secrets/worker`

-- "thanopg" itself would be a bad name: the schema of a role's own name comes first on the search_path
CREATE ROLE thanopg_owner LOGIN PASSWORD :'owner_password';
ALTER DATABASE :"DBNAME" OWNER TO thanopg_owner;

CREATE EXTENSION vector;

-- in a schema of its own, so that only the owner's functions speak over the connection to the service
CREATE SCHEMA dblink;
CREATE EXTENSION dblink SCHEMA dblink;
GRANT USAGE ON SCHEMA dblink TO thanopg_owner;
GRANT USAGE ON FOREIGN DATA WRAPPER dblink_fdw TO thanopg_owner;

-- what searching and embedding take; the owner hands them on
CREATE ROLE thanopg_reader;
CREATE ROLE thanopg_worker;
GRANT thanopg_reader, thanopg_worker TO thanopg_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
CREATE ROLE thanopg_compose_worker LOGIN PASSWORD :'worker_password' IN ROLE thanopg_worker;
