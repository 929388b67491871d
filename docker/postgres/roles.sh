#!/bin/sh
# Runs once, when the database is empty: the two roles of the portal, and the identity provider's own database.
set -eu

psql -X -q -v ON_ERROR_STOP=1 --username postgres --dbname postgres <<SQL
\set owner '$(cat /run/secrets/portal_owner_password)'
\set app '$(cat /run/secrets/portal_app_password)'
\set keycloak '$(cat /run/secrets/keycloak_password)'
CREATE ROLE portal_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner';
CREATE ROLE portal_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app';
CREATE ROLE keycloak LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'keycloak';
CREATE DATABASE portal OWNER portal_owner TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE keycloak OWNER keycloak TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE portal, keycloak FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE portal TO portal_app;
SQL
