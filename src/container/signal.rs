//! Signals as Docker and images write them: `SIGQUIT`, `QUIT`, `3`, `RTMIN+3`.

/// The names of the signals 1 to 31 on Linux (x86 and Arm), in their order.
const NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

/// Other names that Docker knows (moby's `signal` package), with their numbers.
const ALIASES: [(&str, u8); 4] = [("IOT", 6), ("CLD", 17), ("POLL", 29), ("UNUSED", 31)];

/// The first real-time signal as glibc and Docker count: 32 and 33 are glibc's own.
const RTMIN: u8 = 34;
const SIGNAL_MAX: u8 = 64;

/// The number of a signal, from its number or its name in any case, with or without `SIG`. None for what is
/// no signal; Docker then falls back to SIGTERM.
pub fn parse_signal(text: &str) -> Option<u8> {
    let upper = text.trim_ascii().to_ascii_uppercase();
    if !upper.is_empty() && upper.bytes().all(|byte| byte.is_ascii_digit()) {
        return upper.parse().ok().filter(|&number| (1..=SIGNAL_MAX).contains(&number));
    }
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if let Some(position) = NAMES.iter().position(|&known| known == name) {
        return u8::try_from(position + 1).ok();
    }
    if let Some(&(_, number)) = ALIASES.iter().find(|&&(alias, _)| alias == name) {
        return Some(number);
    }
    real_time(name)
}

fn real_time(name: &str) -> Option<u8> {
    let offset = |text: &str, sign| match text.strip_prefix(sign) {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Some(_) => None,
        None => text.is_empty().then_some(0_u8),
    };
    let number = match (name.strip_prefix("RTMIN"), name.strip_prefix("RTMAX")) {
        (Some(rest), _) => RTMIN.checked_add(offset(rest, '+')?),
        (_, Some(rest)) => SIGNAL_MAX.checked_sub(offset(rest, '-')?),
        _ => None,
    };
    number.filter(|number| (RTMIN..=SIGNAL_MAX).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_names() {
        let known = [
            ("SIGTERM", 15),
            ("QUIT", 3),
            ("3", 3),
            ("sigint", 2),
            ("USR1", 10),
            ("WINCH", 28),
            ("SYS", 31),
            ("POLL", 29),
            ("RTMIN", 34),
            ("RTMIN+3", 37),
            ("SIGRTMAX-1", 63),
            ("64", 64),
        ];
        for (text, number) in known {
            assert_eq!(parse_signal(text), Some(number), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_signal() {
        for text in
            ["", "0", "65", "300", "SIG", "NOPE", "RTMIN-1", "RTMIN+31", "RTMIN+255", "RTMAX+1", "RTMIN++1"]
        {
            assert_eq!(parse_signal(text), None, "{text}");
        }
    }
}
