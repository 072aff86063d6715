# What every bash block of the documents runs with: a failing command ends it, curl fails on an HTTP error, and a
# server that a block starts runs beside the commands after it, as in another terminal, until the block is over.
set -eo pipefail

curl() { command curl --fail-with-body "$@"; }

make() {
  [ "$1" = serve ] || { echo "make $1 is not run from the documents" >&2; return 1; }
  pentimento serve
}

pentimento() {
  if [ "$1" != serve ]; then command pentimento "$@"; return; fi
  stop_server
  command pentimento "$@" >server.log 2>&1 &
  server=$!
  for _ in $(seq 2400); do  # a first start measures every graph of the zoo, here beside other tests
    grep "is ready" server.log && return
    kill -0 "$server" || break
    sleep 0.05
  done
  cat server.log >&2
  return 1
}

stop_server() {
  [ -z "$server" ] && return
  kill -TERM "$server"
  wait "$server"  # and its exit status is the block's
  server=
}
trap 'status=$?; stop_server; exit $status' EXIT
