# Reads the output of `bun test` and prints its failures alone, each with its file and what stands
# in front of it (at most LINES lines): in a log of thousands of lines that pass nobody finds them.
BEGIN { LINES = 40 }
{ plain = $0; gsub(/\033\[[0-9;]*m/, "", plain) }
plain ~ /^  \^ / && told { print; next } # "this test timed out", after its failure.
{ told = 0 }
plain ~ /^[^ ]+\.test\.ts:$/ { file = plain; count = 0; next }
plain ~ /^\((pass|skip|todo)\)/ { count = 0; next }
{ line[count++ % LINES] = $0 }
plain ~ /^\(fail\)/ { if (seen[plain]++) count = 0; else tell() } # bun may repeat it at the end.
# Of a file that failed outside of its tests: the second rule ends what is said.
plain ~ /^# Unhandled error/ { rules = 2 }
plain ~ /^-+$/ && rules > 0 && --rules == 0 { tell() }

function tell(  at) {
  print file
  for (at = count > LINES ? count - LINES : 0; at < count; at++) print line[at % LINES]
  count = 0
  told = 1
}
