# Reads the output of `bun test` and prints how many tests passed and how many failed.
# The counts stand right above bun's last "Ran N tests" line; tests may print look-alikes before it.
# An "error" is a file that failed outside of its tests, at an import for example.
{ gsub(/\033\[[0-9;]*m/, "") }
$1 ~ /^[0-9]+$/ && NF == 2 { count[$2] = $1; next }
$1 ~ /^[0-9]+$/ && $2 == "expect()" { next }
$1 == "Ran" {
  passed = count["pass"] + 0
  failed = count["fail"] + count["error"] + count["errors"]
}
{ delete count }
END { print passed + 0, failed + 0 }
