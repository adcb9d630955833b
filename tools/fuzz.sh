#!/bin/sh
# Runs each fuzz program of a folder for some seconds, from the kept inputs. What it finds worth keeping
# goes to <folder>/found/<parser>; an input at which a parser breaks to <folder>/broken-<parser>-….
# Takes the folder of the programs, the seconds, and perhaps the parsers that are meant.
set -eu
folder=$1
seconds=$2
shift 2
corpus=$(dirname "$0")/../tests/fuzz/corpus
# Arrow's own pools hide from the address sanitizer what is read beyond a buffer.
export ARROW_DEFAULT_MEMORY_POOL=system
export ASAN_OPTIONS=allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1

status=0
for program in "$folder"/*_fuzz; do
  parser=$(basename "$program" _fuzz)
  case " ${*:-$parser} " in
    *" $parser "*) ;;
    *) continue ;;
  esac
  mkdir -p "$folder/found/$parser"
  echo "fuzz $parser for $seconds s"
  "$program" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=4096 -print_final_stats=1 -print_funcs=0 \
    -artifact_prefix="$folder/broken-$parser-" "$folder/found/$parser" "$corpus/$parser" \
    >"$folder/$parser.log" 2>&1 || { status=1; echo "$parser broke:"; tail -n 60 "$folder/$parser.log"; }
  grep -E "^stat::number_of_executed_units" "$folder/$parser.log" || true
done
exit $status
