#!/bin/sh
# Validates the server's OpenAPI document and fuzzes the server along it.
#
#     pip install -r requirements.txt
#     IKEBANA_USERNAME=elastic IKEBANA_PASSWORD=... run.sh URL REPORT_FOLDER
#
# The server must run with `server.oas.enabled: true`, on data that may be lost. Fails
# on an invalid document, on a failed check, on fewer than MINIMUM requests (5000), and
# after TIME_LIMIT seconds (600). MAX_EXAMPLES raises the number of cases per operation.
set -eu
[ $# -eq 2 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
cd "$2"
rm -f run.json
python - "$1/api/oas" <<'PY'
import sys, urllib.request
open("openapi.json", "wb").write(urllib.request.urlopen(sys.argv[1]).read())
PY
openapi-spec-validator --schema 3.0 --validation-errors all --subschema-errors all openapi.json
status=0
timeout "${TIME_LIMIT:-600}" schemathesis --config-file "$here/schemathesis.toml" run "$1/api/oas" \
    --phases examples,coverage,fuzzing,stateful ${MAX_EXAMPLES:+--max-examples "$MAX_EXAMPLES"} \
    --no-color --report json,ndjson --report-json-path run.json --report-ndjson-path run.ndjson || status=$?
python - "${MINIMUM:-5000}" "$status" <<'PY'
import json, sys
minimum, status = map(int, sys.argv[1:])
run = json.load(open("run.json"))
sent, operations = run["test_cases"]["generated"], run["operations"]
print(f"schemathesis {run['schemathesis_version']}: {sent} requests, {operations['tested']} operations, "
      f"{run['test_cases']['unique_failures']} failures, {run['running_time']:.0f} s")
if sent < minimum:
    print(f"fewer than {minimum} requests")
if operations["errored"] or not run["complete"]:
    print("the run did not complete")
sys.exit(status or sent < minimum or bool(operations["errored"]) or not run["complete"])
PY
