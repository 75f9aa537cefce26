#!/bin/bash
# Makes a new log directory with its first users, then runs the broker.
#
#   KAFKA_CLUSTER_ID       names the cluster for ever (kafka-storage.sh random-uuid gives one)
#   KAFKA_BROKER_PASSWORD  of the user broker, as whom the broker logs in to itself
#   KAFKA_HUB_PASSWORD     of the user headrace
set -euo pipefail

properties=/etc/headrace/server.properties
programs=/opt/kafka/bin
logs=$(sed -n 's/^log\.dirs=//p' "$properties")

for name in KAFKA_BROKER_PASSWORD KAFKA_HUB_PASSWORD; do
    if [[ ! ${!name:-} =~ ^[A-Za-z0-9._~-]+$ ]]; then
        echo "$name: letters, digits and . _ ~ - only, and at least one (openssl rand -hex 24)" >&2
        exit 78
    fi
done

if [[ ! -e $logs/meta.properties ]]; then
    # From a file, since every process of the machine may read a command line.
    umask 077
    arguments=$(mktemp)
    trap 'rm -f "$arguments"' EXIT
    cat >"$arguments" <<END
--cluster-id=$KAFKA_CLUSTER_ID
--config=$properties
--add-scram=SCRAM-SHA-512=[name=broker,password=$KAFKA_BROKER_PASSWORD]
--add-scram=SCRAM-SHA-512=[name=headrace,password=$KAFKA_HUB_PASSWORD]
END
    # What it prints holds the keys made from the passwords.
    "$programs/kafka-storage.sh" format "@$arguments" >/dev/null
    rm -f "$arguments"
    umask 022
fi

exec "$programs/kafka-server-start.sh" "$properties"
