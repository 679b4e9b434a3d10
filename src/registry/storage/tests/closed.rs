//! Closed label sets, which are found by place, mixed with lookups by text in the same family.

use super::*;
use crate::registry::labels::LabelValue;

#[derive(Clone, Copy, Debug)]
enum Verb {
    Get,
    Put,
    /// Not a listed value.
    Other = 9,
}

impl LabelValue for Verb {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["get", "put"];
    fn index(&self) -> usize {
        *self as usize
    }
}

/// The same texts in another order.
struct Backwards(bool);

impl LabelValue for Backwards {
    type Key = Verb;
    const VALUES: &'static [&'static str] = &["put", "get"];
    fn index(&self) -> usize {
        usize::from(self.0)
    }
}

/// A text that needs escaping.
struct Quoted;

impl LabelValue for Quoted {
    type Key = Self;
    const VALUES: &'static [&'static str] = &["\"", "never"];
    fn index(&self) -> usize {
        0
    }
}

/// The position that is known by place.
fn known_places<L: Labels>(storage: &Storage<AtomicU64>, labels: &L) -> Option<u32> {
    let layout = Layout::of(L::VALUES).unwrap();
    storage.first.get()?.position_at(layout, labels.place())
}

#[test]
fn what_was_found_once_is_found_by_place() {
    let storage = storage(&["verb", "ok"], 100);
    let sets = [(Verb::Get, false), (Verb::Get, true), (Verb::Put, true)];
    for _ in 0..3 {
        for set in &sets {
            add(&storage, set);
            add(&storage, &["put", "true"]);
        }
    }
    let positions = sets.map(|set| known_places(&storage, &set));
    assert_eq!(positions, [Some(0), Some(2), Some(1)]);
    assert_eq!(known_places(&storage, &(Verb::Put, false)), None);
    let counts: Vec<u64> = all(&storage).into_iter().map(|(_, n)| n).collect();
    assert_eq!(counts, [3, 12, 3]);
}

#[test]
fn another_order_of_the_values_is_no_other_series() {
    let storage = storage(&["verb"], 100);
    for _ in 0..3 {
        add(&storage, &(Verb::Get,));
        add(&storage, &(Backwards(true),));
        add(&storage, &(Backwards(false),));
    }
    let want = [
        (r#"verb="get""#.to_owned(), 6),
        (r#"verb="put""#.to_owned(), 3),
    ];
    assert_eq!(all(&storage), want);
}

#[test]
fn a_value_beyond_the_list_has_a_series_of_its_own() {
    let storage = storage(&["verb"], 100);
    for _ in 0..3 {
        add(&storage, &(Verb::Other,));
        add(&storage, &(Verb::Put,));
    }
    let want = [
        (r#"verb="""#.to_owned(), 3),
        (r#"verb="put""#.to_owned(), 3),
    ];
    assert_eq!(all(&storage), want);
}

#[test]
fn escapes_do_not_matter() {
    let storage = storage(&["text"], 100);
    for _ in 0..3 {
        add(&storage, &(Quoted,));
        add(&storage, &["\""]);
    }
    assert_eq!(all(&storage), [(r#"text="\"""#.to_owned(), 6)]);
    assert_eq!(known_places(&storage, &(Quoted,)), Some(0));
}

#[test]
fn limits_and_switches_hold() {
    let total = Arc::new(Total {
        series: AtomicUsize::new(0),
        limit: AtomicUsize::new(10),
    });
    let disabled = Rules {
        enabled: false,
        ..rules(10)
    };
    let off = Storage::new(&["verb"], disabled, Bounds::default(), Arc::clone(&total));
    let full = Storage::new(&["verb"], rules(1), Bounds::default(), total);
    for _ in 0..3 {
        for verb in [Verb::Get, Verb::Put] {
            add(&off, &(verb,));
            add(&full, &(verb,));
        }
    }
    assert!(all(&off).is_empty());
    let want = [
        (r#"verb="get""#.to_owned(), 3),
        (r#"verb="__overflow__""#.to_owned(), 3),
    ];
    assert_eq!(all(&full), want);
    assert!(full.remove(&(Verb::Get,)));
    add(&full, &(Verb::Put,));
    assert_eq!(all(&full)[0], (r#"verb="put""#.to_owned(), 1));
}

/// An operation on one of 24 series, by place or by text.
#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    AddText(u8),
    Remove(u8),
    Clear,
}

struct Digit<const MOST: u8>(u8);

impl<const MOST: u8> LabelValue for Digit<MOST> {
    type Key = Self;
    const VALUES: &'static [&'static str] = {
        let all: &'static [&'static str] = &["0", "1", "2", "3", "4", "5", "6", "7"];
        all.split_at(MOST as usize).0
    };
    fn index(&self) -> usize {
        usize::from(self.0)
    }
}

type Set = (bool, Digit<4>, Digit<3>);

fn set(of: u8) -> Set {
    (of >= 12, Digit(of / 3 % 4), Digit(of % 3))
}

fn texts(of: u8) -> [String; 3] {
    let mut texts = Vec::new();
    set(of).visit(&mut |text| texts.push(text.to_owned()));
    texts.try_into().unwrap()
}

#[test]
fn combinations_are_numbered_as_places_are() {
    for of in 0..24 {
        let combination = crate::registry::labels::Combination {
            values: Set::VALUES,
            place: set(of).place(),
        };
        let mut same = texts(of).into_iter();
        combination.visit(&mut |text| assert_eq!(Some(text), same.next().as_deref()));
        assert_eq!(set(of).place(), usize::from(of));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_closed_family_is_a_map_too(
        steps in prop::collection::vec(
            prop_oneof![
                20 => (0_u8..24).prop_map(Step::Add),
                5 => (0_u8..24).prop_map(Step::AddText),
                5 => (0_u8..24).prop_map(Step::Remove),
                1 => Just(Step::Clear),
            ],
            1..1500,
        )
    ) {
        let storage = storage(&["a", "b", "c"], 100);
        let mut model: Vec<(u8, u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Add(of) | Step::AddText(of) => {
                    if matches!(step, Step::Add(_)) {
                        add(&storage, &set(of));
                    } else {
                        add(&storage, &texts(of));
                    }
                    match model.iter_mut().find(|(there, _)| *there == of) {
                        Some((_, n)) => *n += 1,
                        None => model.push((of, 1)),
                    }
                }
                Step::Remove(of) => {
                    let before = model.len();
                    model.retain(|(there, _)| *there != of);
                    prop_assert_eq!(storage.remove(&set(of)), model.len() < before);
                }
                Step::Clear => {
                    for (of, _) in model.drain(..) {
                        prop_assert!(storage.remove(&texts(of)));
                    }
                }
            }
        }
        let want: Vec<_> = model
            .iter()
            .map(|(of, n)| {
                let texts = texts(*of);
                let pairs = ["a", "b", "c"].into_iter().zip(texts.iter().map(String::as_str));
                (render_pairs(pairs, 100), *n)
            })
            .collect();
        prop_assert_eq!(all(&storage), want);
    }
}
