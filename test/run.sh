#!/bin/sh
# Installs, compiles and tests. The last line is always "N passed, N failed"; above it stands again
# what has failed.
#   test/run.sh               formatter, types, linter and every test
#   test/run.sh PATH...       only the tests in these files or folders
set -u
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
passed=0
failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

main() {
  if ! ./compile.sh; then
    failed=1
    finish
  fi
  if [ $# -eq 0 ]; then
    check format oxfmt --check src test bench
    check types tsc --noEmit
    check lint oxlint --type-aware --deny-warnings src test bench
    set -- src bench test
  fi
  unit="" e2e=""
  for path in "$@"; do
    path=${path#./}
    case "$path" in
      test) unit="$unit ./test" e2e="$e2e ./test/e2e ./test/hostile" ;;
      test/e2e* | test/hostile*) e2e="$e2e ./$path" ;;
      *) unit="$unit ./$path" ;;
    esac
  done
  # Word splitting is wanted: paths in this repository have no blanks.
  # shellcheck disable=SC2086
  [ -z "$unit" ] || suite unit --parallel --path-ignore-patterns='test/{e2e,hostile}/**' $unit
  # End-to-end tests start gateways and watch the clock, so they run one file at a time.
  # shellcheck disable=SC2086
  [ -z "$e2e" ] || suite e2e --parallel=1 $e2e
  # And again on the other front, those that have not run on both already.
  # shellcheck disable=SC2086
  again=$([ -z "$e2e" ] || bun test/e2e/support/run-once.ts $e2e)
  export SLUICE_TEST_FRONT=serve
  # shellcheck disable=SC2086
  [ -z "$again" ] || suite "e2e (front serve)" --parallel=1 $again
  finish
}

# check NAME COMMAND...: one check that passes or fails as a whole.
check() {
  name=$1
  shift
  if "$@" >"$logs/check" 2>&1; then
    echo "(pass) $name"
    passed=$((passed + 1))
  else
    echo "(fail) $name: $*" >>"$logs/check"
    tee -a "$logs/failures" <"$logs/check"
    failed=$((failed + 1))
  fi
}

# suite NAME ARGUMENTS...: runs bun test and adds its counts up.
suite() {
  name=$1
  shift
  echo "--- $name tests"
  {
    bun test --randomize --timeout=30000 "$@" </dev/null
    echo $? >"$logs/code"
  } 2>&1 | tee "$logs/suite"
  awk -f test/failures.awk "$logs/suite" >>"$logs/failures"
  counts=$(awk -f test/counts.awk "$logs/suite")
  ok=${counts% *}
  bad=${counts#* }
  # A run that broke off, or found no test, has failed whatever it counted.
  if [ "$bad" -eq 0 ] && { [ "$(cat "$logs/code")" != 0 ] || [ "$ok" -eq 0 ]; }; then
    echo "(fail) $name tests: bun test ended with code $(cat "$logs/code") after $ok passed tests" |
      tee -a "$logs/failures"
    bad=1
  fi
  passed=$((passed + ok))
  failed=$((failed + bad))
}

finish() {
  if [ -s "$logs/failures" ]; then
    echo "--- failures"
    cat "$logs/failures"
  fi
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

main "$@"
