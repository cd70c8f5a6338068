# shellcheck shell=bash
# What scripts/build-vm and scripts/build-arm64 take from this machine and from the package.

# debian_sources SUITE: this machine's Debian sources (perhaps a mirror) for that release, backports included.
debian_sources() {
    local suite=$1 mine=/etc/apt/sources.list.d/debian.sources
    if [ -e "$mine" ] && grep -q '^Suites: [a-z]* [a-z]*-updates' "$mine"; then
        sed -E -e "s/^(Suites:) [a-z]+ [a-z]+-updates.*/\1 $suite $suite-updates $suite-backports/" \
            -e "s/^(Suites:) [a-z]+-security.*/\1 $suite-security/" "$mine"
    else
        printf 'deb http://deb.debian.org/debian %s main\n' "$suite" "$suite-updates" "$suite-backports"
    fi
}

# agent_depends: the packages that the agent's package depends on, one a line.
agent_depends() {
    awk '/^Package:/ { ours = $2 == "diemcau-agent" } /^[A-Z]/ { depends = ours && /^Depends:/ } depends' scripts/deb/control |
        sed -n 's/^ \([a-z][a-z0-9.+-]*\).*/\1/p'
}
