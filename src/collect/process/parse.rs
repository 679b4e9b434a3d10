//! Parsers of `/proc` files, as described by `proc(5)`. Anything unexpected gives `None`.

/// The used fields of `/proc/self/stat`.
#[derive(Debug, PartialEq)]
pub(super) struct Stat {
    pub(super) cpu_ticks: u64,
    pub(super) threads: u64,
    /// Start time in ticks since boot.
    pub(super) start_ticks: u64,
    pub(super) virtual_bytes: u64,
}

pub(super) fn stat(text: &str) -> Option<Stat> {
    // The second field is the name in parentheses, which may contain parentheses.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // `proc(5)` counts from 1; the first field after the name is the third.
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        cpu_ticks: field(14)?.checked_add(field(15)?)?,
        threads: field(20)?,
        start_ticks: field(22)?,
        virtual_bytes: field(23)?,
    })
}

/// `VmRSS` of `/proc/self/status`, in bytes. `stat` has it too, but in pages, whose size only a
/// system call reports.
pub(super) fn resident(status: &str) -> Option<u64> {
    let value = after(status, "VmRSS:")?.strip_suffix("kB")?;
    value.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A soft limit of `/proc/self/limits`; 2⁶⁴ − 1, which is `RLIM_INFINITY`, if there is none.
pub(super) fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    match after(limits, name)?.split_ascii_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        soft => soft.parse().ok(),
    }
}

/// The boot time of the machine in seconds since 1970, from `/proc/stat`.
pub(super) fn boot_time(stat: &str) -> Option<f64> {
    let seconds: u64 = after(stat, "btime ")?.parse().ok()?;
    Some(seconds as f64)
}

/// Bytes received and transmitted over IPv4 (`/proc/self/net/netstat`) and IPv6
/// (`/proc/self/net/snmp6`), as far as available.
pub(super) fn octets(netstat: &str, snmp6: &str) -> (Option<u64>, Option<u64>) {
    let sum = |v4: &str, v6: &str| {
        let v6 = after(snmp6, v6).and_then(|value| value.parse().ok());
        match (column(netstat, "IpExt:", v4), v6) {
            (Some(a), Some(b)) => Some(a.wrapping_add(b)),
            (a, b) => a.or(b),
        }
    };
    (
        sum("InOctets", "Ip6InOctets"),
        sum("OutOctets", "Ip6OutOctets"),
    )
}

/// The rest of the line that begins with `name`, trimmed.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let found = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(found.trim())
}

/// A number in a table of two lines that both begin with `table`: names and values.
fn column(text: &str, table: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(table));
    let (names, values) = (lines.next()?, lines.next()?);
    let at = names.split_ascii_whitespace().position(|n| n == name)?;
    values.split_ascii_whitespace().nth(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 2501 0 3 0 150 75 0 0 20 0 7 0 \
                        123456 987654321 3000 18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 \
                        1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
    const STATUS: &str = "Name:\tshop\nVmPeak:\t  999 kB\nVmRSS:\t    1234 kB\nThreads:\t7\n";
    const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 524288               files     
Max address space         unlimited            unlimited            bytes     
";
    const NETSTAT: &str = "\
TcpExt: SyncookiesSent InOctets
TcpExt: 1 2
IpExt: InNoRoutes InOctets OutOctets InMcastOctets
IpExt: 0 1000 200 9
";
    const SNMP6: &str = "Ip6InReceives    \t12\nIp6InOctets      \t30\nIp6OutOctets     \t4\n";

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let want = Stat {
            cpu_ticks: 225,
            threads: 7,
            start_ticks: 123_456,
            virtual_bytes: 987_654_321,
        };
        assert_eq!(stat(STAT), Some(want));
    }

    #[test]
    fn figures_are_found() {
        assert_eq!(resident(STATUS), Some(1234 * 1024));
        assert_eq!(soft_limit(LIMITS, "Max open files"), Some(1024));
        assert_eq!(soft_limit(LIMITS, "Max address space"), Some(u64::MAX));
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\n"), Some(1.7e9));
        assert_eq!(octets(NETSTAT, SNMP6), (Some(1030), Some(204)));
    }

    #[test]
    fn a_machine_with_one_protocol_counts_that() {
        assert_eq!(octets(NETSTAT, ""), (Some(1000), Some(200)));
        assert_eq!(octets("", SNMP6), (Some(30), Some(4)));
        assert_eq!(octets("", ""), (None, None));
    }

    #[test]
    fn odd_texts_are_nothing() {
        for text in [
            "",
            ")",
            "1 (a) S",
            "1 (a S 1 2 3",
            &STAT.replace(" 75 ", " -1 "),
        ] {
            assert_eq!(stat(text), None, "{text:?}");
        }
        let most = u64::MAX.to_string();
        assert_eq!(stat(&STAT.replace(" 75 ", &format!(" {most} "))), None);
        assert_eq!(resident(&format!("VmRSS: {most} kB")), None);
        for text in ["", "VmRSS:", "VmRSS: 12", "VmRSS: kB", "VmRSS: -1 kB"] {
            assert_eq!(resident(text), None, "{text:?}");
        }
        for text in ["", "Max open files", "Max open files  many  1  files"] {
            assert_eq!(soft_limit(text, "Max open files"), None, "{text:?}");
        }
        assert_eq!(boot_time("btime soon"), None);
        let short = "IpExt: InOctets OutOctets\nIpExt: 1\n";
        assert_eq!(octets(short, ""), (Some(1), None));
        assert_eq!(octets("IpExt: InOctets\n", ""), (None, None));
    }
}
