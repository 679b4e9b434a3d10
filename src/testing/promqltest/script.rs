//! Parses the commands of a corpus file.

use std::time::Duration;

/// An `eval` and its expectation.
#[derive(Clone, Debug, Default)]
pub(super) struct Evaluation {
    pub(super) line: usize,
    pub(super) expression: String,
    /// In milliseconds; start and end are equal for an instant query.
    pub(super) start: i64,
    pub(super) end: i64,
    /// `None` for an instant query.
    pub(super) step: Option<i64>,
    pub(super) expected: Expected,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) fails: bool,
    pub(super) ordered: bool,
    pub(super) text: Option<String>,
    /// The expected start and step if an instant query returns a range.
    pub(super) range: Option<(i64, i64)>,
    /// Expected failures, warnings and infos, and their texts.
    pub(super) notes: Vec<Note>,
    /// Expected series, or a single number.
    pub(super) lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fail,
    Warn,
    Info,
}

#[derive(Clone, Debug)]
pub(super) struct Note {
    pub(super) kind: Kind,
    /// Whether none is expected.
    pub(super) none: bool,
    pub(super) words: Words,
}

#[derive(Clone, Debug)]
pub(super) enum Words {
    Any,
    Message(String),
    Pattern(String),
}

#[derive(Clone, Debug)]
pub(super) enum Command {
    Clear,
    Load {
        line: usize,
        step: i64,
        /// Whether classic histograms are loaded as native ones too.
        with_custom_bounds: bool,
        series: Vec<String>,
    },
    Evaluate(Box<Evaluation>),
    /// A line that is no command, with the problem.
    Unknown(usize, String),
}

/// Parses a file.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "clear" {
            commands.push(Command::Clear);
            continue;
        }
        let mut block = Vec::new();
        while let Some((_, next)) = lines.next_if(|(_, next)| !next.trim().is_empty()) {
            let next = next.trim();
            if !next.starts_with('#') {
                block.push(next.to_owned());
            }
        }
        let command = command(at + 1, line, block);
        commands.push(command.unwrap_or_else(|wrong| Command::Unknown(at + 1, wrong)));
    }
    commands
}

fn command(line: usize, text: &str, block: Vec<String>) -> Result<Command, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    match word {
        "load" | "load_with_nhcb" => Ok(Command::Load {
            line,
            step: duration(rest.trim()).ok_or_else(|| format!("{rest:?} is not a duration"))?,
            with_custom_bounds: word == "load_with_nhcb",
            series: block,
        }),
        _ if word.starts_with("eval") => {
            let mut evaluation = evaluation(line, rest.trim())?;
            evaluation.expected = expected(word, block)?;
            Ok(Command::Evaluate(Box::new(evaluation)))
        }
        _ => Err(format!("unknown command {word:?}")),
    }
}

/// Parses a duration, or a number of seconds, to milliseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    if let Ok(seconds) = text.parse::<f64>() {
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        return Some(sign * i64::try_from(duration.as_millis()).ok()?);
    }
    let mut rest = text;
    let mut millis = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return None,
        };
        let part = number.parse::<i64>().ok()?.checked_mul(unit)?;
        millis = millis.checked_add(part)?;
        rest = after;
    }
    Some(sign * millis)
}

fn evaluation(line: usize, text: &str) -> Result<Evaluation, String> {
    let mut rest = text;
    let mut word = |name: &str| {
        let (word, after) = rest.split_once(char::is_whitespace)?;
        rest = after.trim_start();
        (word == name).then_some(())
    };
    let wrong = || format!("not an evaluation: {text}");
    if text.starts_with("instant") {
        word("instant").ok_or_else(wrong)?;
        word("at").ok_or_else(wrong)?;
        let (at, expression) = rest.split_once(char::is_whitespace).ok_or_else(wrong)?;
        let at = duration(at).ok_or_else(wrong)?;
        return Ok(Evaluation {
            line,
            expression: expression.trim().to_owned(),
            start: at,
            end: at,
            ..Evaluation::default()
        });
    }
    let mut times = [0; 3];
    word("range").ok_or_else(wrong)?;
    for (name, time) in ["from", "to", "step"].into_iter().zip(&mut times) {
        let after = rest.strip_prefix(name).ok_or_else(wrong)?.trim_start();
        let (value, after) = after.split_once(char::is_whitespace).ok_or_else(wrong)?;
        *time = duration(value).ok_or_else(wrong)?;
        rest = after.trim_start();
    }
    let [start, end, step] = times;
    Ok(Evaluation {
        line,
        expression: rest.trim().to_owned(),
        start,
        end,
        step: Some(step),
        ..Evaluation::default()
    })
}

fn expected(word: &str, block: Vec<String>) -> Result<Expected, String> {
    let mut expected = Expected {
        fails: word == "eval_fail",
        ordered: word == "eval_ordered",
        ..Expected::default()
    };
    for line in block {
        let Some(rest) = line.strip_prefix("expect ") else {
            expected.lines.push(line);
            continue;
        };
        let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let rest = rest.trim();
        let words = || match rest.split_once(':') {
            Some(("msg", message)) => Words::Message(message.trim().to_owned()),
            Some(("regex", pattern)) => Words::Pattern(pattern.trim().to_owned()),
            _ => Words::Any,
        };
        let mut note = |kind, none| {
            expected.notes.push(Note {
                kind,
                none,
                words: words(),
            });
        };
        match what {
            "fail" => {
                note(Kind::Fail, false);
                expected.fails = true;
            }
            "warn" => note(Kind::Warn, false),
            "info" => note(Kind::Info, false),
            "no_warn" => note(Kind::Warn, true),
            "no_info" => note(Kind::Info, true),
            "ordered" => expected.ordered = true,
            "string" => expected.text = Some(super::notation::quoted(rest)?.0),
            "range" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let ["vector", "from", from, "to", _, "step", step] = words[..] else {
                    return Err(format!("unknown range: {rest}"));
                };
                let time = |text| duration(text).ok_or_else(|| format!("not a duration: {text}"));
                expected.range = Some((time(from)?, time(step)?));
            }
            _ => return Err(format!("unknown expectation: {line}")),
        }
    }
    Ok(expected)
}
