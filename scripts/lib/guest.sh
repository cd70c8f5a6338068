# shellcheck shell=bash
# Runs a folder of tests in a throw-away Debian 13 (scripts/build-vm): a container or a virtual
# machine. The folder shared with it is DIR/share; log, journal and pictures are left in DIR/share/out.

# share DIR PACKAGE SCRIPT: what the guest gets to see. SCRIPT runs there as root, in /share.
share() {
    local dir=$1 package=$2 script=$3
    rm -rf "$dir/share"
    mkdir -p "$dir/share/out"
    git ls-files -z --cached --others --exclude-standard tests config pyproject.toml |
        tar -c --null --files-from=- | tar -x -C "$dir/share"
    cp "$package" "$dir/share/diemcau-agent.deb"
    cp "${package/diemcau-agent/diemcau-hub}" "$dir/share/diemcau-hub.deb"
    printf '%s\n' "$script" > "$dir/share/run"
}

# share_checkout DIR: the whole source as well, in /share/checkout.
share_checkout() {
    mkdir "$1/share/checkout"
    git ls-files -z --cached --others --exclude-standard | tar -c --null --files-from=- |
        tar -x -C "$1/share/checkout"
}

# pytest_in_guest FOLDER: the script that runs these tests against the installed agent.
pytest_in_guest() {
    echo "journalctl --quiet --follow --lines=all --output=short-monotonic > /share/out/journal-so-far &
PYTHONPATH=/usr/lib/diemcau DIEMCAU_GUEST=1 DIEMCAU_RESTARTS=${DIEMCAU_RESTARTS:-20} python3 -B -m pytest -v -p no:cacheprovider -W ignore::DeprecationWarning --durations=5 \
--junitxml=/share/out/results.xml $1"
}

# run_container ROOT DIR [NSPAWN-OPTION...]: exits with the script's status, 99 if there was none.
run_container() {
    local root=$1 dir=$2
    shift 2
    timeout "${TIMEOUT_SECONDS:-900}" systemd-nspawn --quiet --directory="$root" \
        --volatile=overlay --register=no --keep-unit --bind="$dir/share:/share" "$@" \
        --boot diemcau-test systemd.wants=diemcau-test.service systemd.show_status=0 < /dev/null > "$dir/share/out/console" 2>&1
    result "$dir"
}

# install_image MACHINES DIR [SCRIPT]: DIR/room.img, the virtual machine's disk with the package
# installed, and whatever SCRIPT then does to it.
# Done in a container: what the package does at installation is not what the machine is for, and it
# takes a minute when emulated.
install_image() (
    machines=$1 dir=$2 root=$2/root script=${3:-true}
    cleaned() {
        ! mountpoint -q "$root" || umount "$root"
        rm -rf "$root"
    }
    cleaned
    trap cleaned EXIT
    mkdir -p "$root"
    cp --sparse=always "$machines/room.img" "$dir/room.img"
    mount -o loop "$dir/room.img" "$root"
    systemd-nspawn --quiet --pipe --register=no --keep-unit --private-network --directory="$root" \
        --bind="$dir/share:/share" sh -ec "apt-get install --quiet --yes \
            --no-install-recommends /share/diemcau-agent.deb
            python3 -m compileall -q /share/tests
            $script" \
        > "$dir/install.log" 2>&1 < /dev/null ||
        { tail -n 5 "$dir/install.log" >&2; exit 1; }
)

# need_machine NAME: ends the script, loudly, where no virtual machine can be run.
need_machine() {
    local tool
    for tool in qemu-system-x86_64 systemd-nspawn mmdebstrap dh_python3; do
        command -v "$tool" > /dev/null || { echo "SKIPPED $1: $tool is missing (scripts/setup installs it)"; exit 0; }
    done
    [ "$(id -u)" = 0 ] || { echo "SKIPPED $1: must be root, to mount the machine's disk"; exit 0; }
}

# processor CLOCK: QEMU's options for it, a word a line.
# A /dev/kvm without kvm_intel or kvm_amd behind it cannot run a stock kernel. Then the processor is
# emulated. With CLOCK `own` the machine's clock counts its instructions, 1 ns each: slow as it is to
# us, to itself it is a fast machine, however busy ours is, and deadlines mean what they mean on a Pi.
# With `ours` its time is ours, for talking with what is not emulated.
processor() {
    if [ -w /dev/kvm ] && { [ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ]; }; then
        printf '%s\n' -accel kvm -cpu host -smp 2
    elif [ "$1" = own ]; then
        printf '%s\n' -accel tcg,tb-size=512 -cpu max -smp 1 -icount shift=0
    else
        printf '%s\n' -accel tcg,tb-size=512,thread=multi -cpu max -smp 2
    fi
}

# machine_command KERNEL CLOCK OPTION: QEMU's command line without disk, console and network, a word
# a line; OPTION is the kernel's.
machine_command() {
    printf '%s\n' qemu-system-x86_64
    processor "$2"
    printf '%s\n' -machine q35 -m 2048 -nodefaults -no-reboot -display none \
        -kernel "$1.vmlinuz" -initrd "$1.initrd" -device virtio-rng-pci \
        -append "root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0 net.ifnames=0 mitigations=off $3"
}

# run_machine KERNEL IMAGE DIR: the script in a virtual machine on that disk.
run_machine() {
    local kernel=$1 image=$2 dir=$3 machine
    mapfile -t machine < <(machine_command "$kernel" own diemcau-test)
    timeout --kill-after=10 "${TIMEOUT_SECONDS:-1800}" "${machine[@]}" \
        -drive "if=none,id=disk,file=$image,format=raw,cache=unsafe" -device virtio-blk-pci,drive=disk \
        -serial "file:$dir/share/out/console" \
        -fsdev "local,id=share,path=$dir/share,security_model=none" \
        -device virtio-9p-pci,fsdev=share,mount_tag=share \
        -netdev user,id=net,restrict=on -device virtio-net-pci,netdev=net ||
        echo "guest: QEMU ended with $?" >&2
    result "$dir"
}

# result DIR: the guest's log on standard output, its exit status as ours.
result() {
    local out=$1/share/out
    if [ ! -e "$out/status" ]; then
        tail -n 30 "$out/console" "$out/log" >&2
        echo "guest: no result within ${TIMEOUT_SECONDS:-the time}; see $out" >&2
        return 99
    fi
    cat "$out/log"
    return "$(cat "$out/status")"
}
