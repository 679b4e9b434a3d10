//! Secrets: where they come from, and that they never show.

use std::fs;

use selfheal::config::{Config, ConfigError, Loader, Secret, Server};

use super::{load, reported};

const WORD: &str = "hunter2-correct-horse";

/// All ways in which a configuration or what was said about it can reach a log.
fn shown(result: &Result<Config, ConfigError>) -> String {
    match result {
        Ok(config) => format!(
            "{config:?} {config:#?} {} {}",
            serde_json::to_string(config).unwrap(),
            toml::to_string(config).unwrap(),
        ),
        Err(error) => format!("{error} {error:?} {error:#?}"),
    }
}

fn open(server: Server) -> Config {
    Config::new().server(server).checked().unwrap()
}

#[test]
fn from_text_variable_and_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    fs::write(&path, format!("{WORD}\r\n")).unwrap();
    let file = format!("{{ file = {:?} }}", path.to_str().unwrap());
    for written in [format!("{WORD:?}"), "{ env = 'THE_WORD' }".to_owned(), file] {
        let text = format!(
            "server.bearer_token = {written}\n\
             server.basic_auth = {{ username = 'prometheus', password = {written} }}"
        );
        let config = load(&text, &[("THE_WORD", WORD)]).unwrap();
        let (token, auth) = (
            config.server.bearer_token.unwrap(),
            config.server.basic_auth.unwrap(),
        );
        assert!(token.matches(WORD.as_bytes()), "{written}");
        assert!(auth.matches(b"prometheus", WORD.as_bytes()), "{written}");
        assert!(!auth.matches(b"prometheu", WORD.as_bytes()));
        assert!(!auth.matches(b"prometheus", b"hunter3-correct-horse"));
    }
}

#[test]
fn only_the_whole_secret_matches() {
    let secret = Secret::new("abc");
    for wrong in ["", "a", "ab", "abcd", "abcabc", "abd", "ABC"] {
        assert!(!secret.matches(wrong.as_bytes()), "{wrong}");
    }
    assert!(secret.matches(b"abc"));
    assert!(!Secret::new("").matches(b""));
    assert!(!Secret::from_env("UNREAD").matches(b""));
}

#[test]
fn it_shows_nowhere() {
    let token = |written: &str| format!("[server]\nbearer_token = {written}\n");
    let auth = |written: &str| format!("[server]\nbasic_auth = {written}\n");
    for text in [
        token(&format!("'{WORD}'")),
        token(&format!("'{WORD}")),
        token(WORD),
        token(&format!("['{WORD}']")),
        token(&format!("{{ env = '{WORD}', file = '{WORD}' }}")),
        token(&format!("'{WORD}\u{7f} '")),
        token(&format!("'{WORD}'\nbearer_token = '{WORD}'")),
        token(&format!("'{WORD}'\nlisten = '{WORD}")),
        auth(&format!("'prometheus:{WORD}'")),
        auth(&format!("['{WORD}']")),
        auth(&format!("{{ username = '', password = '{WORD}' }}")),
        auth(&format!(
            "{{ username = 'a', password = '{WORD}', pass = '{WORD}' }}"
        )),
        auth(&format!(
            "{{ username = 'a', password = \"{WORD}\\u0000\" }}"
        )),
        auth(&format!("{{ username = 'a', password = '''{WORD}\n''' }}")),
    ] {
        let result = Config::from_toml_str(&text);
        assert!(
            !shown(&result).contains("hunter2"),
            "{text}\n{}",
            shown(&result)
        );
    }
    for text in [
        token("271828"),
        token("2.71828"),
        auth("271828"),
        token("{ file = 271828 }"),
    ] {
        let result = Config::from_toml_str(&text);
        assert!(
            result.is_err() && !shown(&result).contains("71828"),
            "{}",
            shown(&result)
        );
    }
    for name in [
        "SELFHEAL_SERVER__BEARER_TOKEN",
        "SELFHEAL_SERVER__BEARER_TOKN",
        "SELFHEAL_SERVER__BASIC_AUTH",
        "SELFHEAL_SERVER__BASIC_AUTH__PASSWORD",
        "SELFHEAL_SERVER__MAX_CONNECTIONS",
        "SELFHEAL_SERVER",
    ] {
        let result = load("", &[(name, WORD)]);
        assert!(
            !shown(&result).contains("hunter2"),
            "{name}\n{}",
            shown(&result)
        );
    }
    let loader = Loader::new().base(open(Server::new().bearer_token(Secret::new(WORD))));
    assert!(!format!("{loader:?}").contains("hunter2"));
}

#[test]
fn what_cannot_be_read_is_reported_with_its_field() {
    let dir = tempfile::tempdir().unwrap();
    let (missing, empty, large) = (
        dir.path().join("missing"),
        dir.path().join("empty"),
        dir.path().join("large"),
    );
    fs::write(&empty, "\n").unwrap();
    fs::write(&large, vec![b'x'; 65 * 1024]).unwrap();
    let fault = |secret: Secret| {
        let faults = reported(
            Config::new()
                .server(Server::new().bearer_token(secret))
                .checked(),
        );
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults[0].clone()
    };
    let fault_of_file = fault(Secret::from_file(&missing));
    assert!(
        fault_of_file.starts_with("server.bearer_token: cannot read `"),
        "{fault_of_file}"
    );
    assert!(fault(Secret::from_file(&large)).contains("it is longer than 65536 bytes"));
    assert!(fault(Secret::from_file(&empty)).contains("the secret is empty"));
    assert!(fault(Secret::new("two words")).contains("cannot be sent in a header"));

    let text = "[server.basic_auth]\nusername = 'a:b'\npassword = { env = 'UNSET' }";
    assert_eq!(
        reported(load(text, &[("SET", "x")])),
        [
            "server.basic_auth.password (line 3): the environment variable `UNSET` is not set; \
             set it, or name another",
            "server.basic_auth.username (line 2): a user name cannot contain `:` or control \
             characters (RFC 7617); choose another",
        ]
    );
    assert_eq!(
        reported(load("server.bearer_token = { evn = 'X' }", &[])),
        ["server.bearer_token.evn (line 1): no setting has this name; did you mean `env`?"]
    );
    assert_eq!(
        reported(load("", &[("SELFHEAL_SERVER__BASIC_AUTH__USERNAME", "x")])),
        [
            "server.basic_auth.password (SELFHEAL_SERVER__BASIC_AUTH__USERNAME): the secret is \
             redacted, as in a configuration that was printed; give its text, `{ env = \"…\" }` or \
             `{ file = \"…\" }`"
        ]
    );
}

#[test]
fn a_printed_configuration_is_read_back_but_lets_no_one_in() {
    let config = open(Server::new().bearer_token(Secret::new(WORD)));
    let printed = toml::to_string(&config).unwrap();
    let again: Config = toml::from_str(&printed).unwrap();
    let token = again.server.bearer_token.clone().unwrap();
    assert!(!token.matches(WORD.as_bytes()) && !token.matches(b""));
    let faults = reported(again.checked());
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].starts_with("server.bearer_token: the secret is redacted"),
        "{faults:?}"
    );
}

#[test]
fn the_environment_lays_over_a_builder_without_losing_its_secrets() {
    let base = open(
        Server::new()
            .bearer_token(Secret::new(WORD))
            .basic_auth("a", Secret::new(WORD)),
    );
    let config = base
        .clone()
        .overlay_env([
            ("SELFHEAL_NAMESPACE", "shop"),
            ("SELFHEAL_SERVER__BASIC_AUTH__USERNAME", "b"),
            ("SELFHEAL_SERVER__BEARER_TOKEN", "another"),
        ])
        .unwrap();
    assert!(config.server.bearer_token.unwrap().matches(b"another"));
    assert!(
        config
            .server
            .basic_auth
            .unwrap()
            .matches(b"b", WORD.as_bytes())
    );

    let variables = [
        ("SELFHEAL_SERVER__BEARER_TOKEN__ENV", "NEW"),
        ("NEW", "another"),
    ];
    let config = base.overlay_env(variables).unwrap();
    assert_eq!(
        format!("{:?}", config.server.bearer_token),
        "Some(Secret(env \"NEW\"))"
    );
    assert!(config.server.bearer_token.unwrap().matches(b"another"));
}

/// An early difference takes as long as a late one: the shortest of many comparisons of each, as
/// nothing else that the machine does is in those.
#[test]
fn a_guess_takes_as_long_however_much_of_it_is_right() {
    use std::time::{Duration, Instant};

    const LENGTH: usize = 32 * 1024;
    let secret = Secret::new("a".repeat(LENGTH));
    let wrong_at = |at: usize| {
        let mut guess = vec![b'a'; LENGTH];
        guess[at] = b'b';
        guess
    };
    let shortest = |guess: &[u8]| -> Duration {
        let took = (0..100).map(|_| {
            let start = Instant::now();
            assert!(!secret.matches(guess));
            start.elapsed()
        });
        took.min().unwrap()
    };
    let (early, late) = (shortest(&wrong_at(0)), shortest(&wrong_at(LENGTH - 1)));
    assert!(
        early * 2 > late && late * 2 > early,
        "{early:?} and {late:?}"
    );
}
