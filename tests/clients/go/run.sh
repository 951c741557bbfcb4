#!/bin/sh
# Makes the client from the official document and drives a running server with it.
#
#     run.sh REFERENCE --url http://localhost:5601 --username elastic --password ...
#
# REFERENCE is the folder that holds openapi/*.json. Without further arguments the
# client is made and checked only.
set -eu
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
reference=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")"
mkdir -p spaces system
go tool oapi-codegen -config spaces.yaml "$reference/openapi/spaces_and_security.json"
go tool oapi-codegen -config system.yaml "$reference/openapi/system.json"
go vet ./...
if [ $# -gt 0 ]; then
    exec go run . "$@"
fi
go build -o /dev/null .
