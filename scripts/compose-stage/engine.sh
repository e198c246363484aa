# A private Docker engine, for machines where none answers. Sourced by ./run.
#
# The engine lives in network, mount and process namespaces of its own, with slirp4netns (user-space
# NAT) as its uplink: its bridges, iptables rules, mounts and processes exist nowhere else, and all of
# them go when its first process ends. What stays in the machine's own tree are the control groups it
# made; engine_stop removes them. Needs root.

ENGINE_PACKAGES=(docker.io docker-compose slirp4netns mmdebstrap iproute2 iptables util-linux)

# Prints the packages that are missing here, one a line.
engine_missing() {
  local package
  for package in "${ENGINE_PACKAGES[@]}" "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

# Installs what is missing. Under systemd it refuses: installing docker.io there starts a system engine.
engine_install() {
  local missing
  mapfile -t missing < <(engine_missing "$@")
  [ "${#missing[@]}" -eq 0 ] && return 0
  if [ -d /run/systemd/system ]; then
    echo "no Docker engine answers; start one, or install: ${missing[*]}" >&2
    return 1
  fi
  echo "installing ${missing[*]}"
  {
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 install -y -qq --no-install-recommends "${missing[@]}"
  } >"$WORK/apt.log" 2>&1 || { tail -20 "$WORK/apt.log" >&2; return 1; }
}

# Starts the engine under $WORK; sets DOCKER_HOST, ENGINE_PID (its first process) and STAGE_ENTER (a
# command prefix that runs a program in the engine's network, where the published ports are).
engine_start() {
  local i cgroup_parent="compose-stage-$$"
  ENGINE_CGROUP="$cgroup_parent"
  mkdir -p "$WORK/data" "$WORK/exec"
  # The inner shell is the first process of the namespaces: it waits for the uplink, runs the engine and reaps.
  # Should this script itself be killed, the kernel kills unshare (setpriv), and unshare its child (--kill-child).
  setpriv --pdeathsig KILL unshare --net --mount --pid --ipc --fork --kill-child --mount-proc --propagation private bash -c '
    work=$1 cgroup_parent=$2
    ip link set lo up
    until ip link show tap0 >/dev/null 2>&1; do sleep 0.05; done
    trap "kill -TERM \$engine" TERM
    dockerd --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/engine.pid" \
      --host "unix://$work/engine.sock" --cgroup-parent "$cgroup_parent" --dns 10.0.2.3 \
      --storage-driver overlay2 --log-level warn &
    engine=$!
    while kill -0 "$engine" 2>/dev/null; do wait "$engine"; done
  ' stage-engine "$WORK" "$cgroup_parent" >"$WORK/engine.log" 2>&1 &
  UNSHARE_PID=$!
  for ((i = 0; i < 600; i++)); do
    ENGINE_PID=$(pgrep -P "$UNSHARE_PID" || true)
    [ -n "$ENGINE_PID" ] && [ "$(readlink "/proc/$ENGINE_PID/ns/net")" != "$(readlink /proc/self/ns/net)" ] && break
    sleep 0.05
  done
  setpriv --pdeathsig KILL slirp4netns --configure --mtu=1400 --disable-host-loopback "$ENGINE_PID" tap0 >"$WORK/uplink.log" 2>&1 &
  UPLINK_PID=$!
  export DOCKER_HOST="unix://$WORK/engine.sock"
  STAGE_ENTER=(nsenter --target "$ENGINE_PID" --net)
  for ((i = 0; i < 600; i++)); do
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1 && return 0
    kill -0 "$UNSHARE_PID" 2>/dev/null || break
    sleep 0.2
  done
  echo 'the private engine did not start:' >&2
  tail -20 "$WORK/engine.log" "$WORK/uplink.log" >&2
  return 1
}

# Ends the engine and everything it made. Safe to call twice.
engine_stop() {
  local i group
  if [ -n "${ENGINE_PID:-}" ]; then
    kill -TERM "$ENGINE_PID" 2>/dev/null || true
    for ((i = 0; i < 75; i++)); do
      kill -0 "$ENGINE_PID" 2>/dev/null || break
      sleep 0.2
    done
  fi
  # --kill-child: with unshare its first process ends, and with that everything in the namespaces.
  [ -n "${UNSHARE_PID:-}" ] && kill -KILL "$UNSHARE_PID" 2>/dev/null || true
  [ -n "${UPLINK_PID:-}" ] && kill "$UPLINK_PID" 2>/dev/null || true
  [ -n "${UPLINK_PID:-}" ] && wait "$UPLINK_PID" 2>/dev/null || true
  [ -n "${UNSHARE_PID:-}" ] && wait "$UNSHARE_PID" 2>/dev/null || true
  [ -n "${ENGINE_CGROUP:-}" ] || return 0
  for group in /sys/fs/cgroup/*/"$ENGINE_CGROUP" /sys/fs/cgroup/"$ENGINE_CGROUP"; do
    [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

# Records the namespaces of the engine and of everything under it, for engine_leftovers.
engine_mark() {
  ENGINE_NAMESPACES=$(
    for pid in $(engine_descendants "$UNSHARE_PID"); do
      readlink "/proc/$pid/ns/net" "/proc/$pid/ns/mnt" "/proc/$pid/ns/pid" 2>/dev/null
    done | sort -u
    for kind in net mnt pid; do readlink "/proc/self/ns/$kind"; done | sed 's/$/ own/'
  )
}

# Prints the process ids below one process.
engine_descendants() {
  local child
  for child in $(pgrep -P "$1"); do
    echo "$child"
    engine_descendants "$child"
  done
}

# Prints the machine state an engine could have changed, one fact a line, to be compared before and after.
engine_state() {
  echo "named namespaces: $(ip netns list 2>/dev/null | tr '\n' ' ')"
  echo "links: $(ip -o link show | cut -d: -f2 | tr -d ' ' | tr '\n' ' ')"
  echo "routes: $(ip route show table all 2>/dev/null | sort | tr '\n' ';')"
  echo "firewall rules: $( (iptables-save; ip6tables-save) 2>/dev/null | grep -E '^-A' | sort | tr '\n' ';')"
  echo "forwarding: $(cat /proc/sys/net/ipv4/ip_forward)"
}

# Prints what the engine left behind under one heading a line; nothing means nothing is left.
engine_leftovers() {
  local own namespace pids
  own=$(grep ' own$' <<<"$ENGINE_NAMESPACES" | cut -d' ' -f1)
  for namespace in $(grep -v ' own$' <<<"$ENGINE_NAMESPACES" | grep -vxF "$own"); do
    pids=$(find /proc -maxdepth 3 -path '/proc/[0-9]*/ns/*' -lname "$namespace" 2>/dev/null | cut -d/ -f3 | sort -u | tr '\n' ' ')
    [ -z "$pids" ] || echo "namespace $namespace still holds processes $pids"
  done
  pids=$(pgrep -f "$WORK/" | tr '\n' ' ') && echo "processes $pids"
  grep -F " $WORK" /proc/self/mountinfo | sed 's/^/mount /'
  find /sys/fs/cgroup -maxdepth 2 -type d -name "$ENGINE_CGROUP" | sed 's/^/control group /'
  return 0
}
