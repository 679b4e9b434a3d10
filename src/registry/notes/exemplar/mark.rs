use std::sync::atomic::{AtomicU32, Ordering};

use super::ring::FRESH;
use crate::registry::notes::Common;
use crate::registry::snapshot::{Exemplar, ExemplarLabels};

/// A counter's reference to its exemplar: the stamp, 0 for none, and whether it was read.
#[derive(Debug, Default)]
pub(in crate::registry) struct Mark(AtomicU32);

impl Mark {
    /// Takes an exemplar, unless there is an unread one.
    #[inline]
    pub(in crate::registry) fn offer(
        &self,
        common: &Common,
        value: f64,
        labels: impl FnOnce(&mut ExemplarLabels),
    ) {
        if self.0.load(Ordering::Relaxed) & FRESH == 0 {
            self.take(common, value, labels);
        }
    }

    #[cold]
    fn take(&self, common: &Common, value: f64, labels: impl FnOnce(&mut ExemplarLabels)) {
        match common.exemplar(value, labels) {
            Ok(None) => {}
            Ok(Some(exemplar)) => {
                if let Some(stamp) = common.ring().put(exemplar) {
                    self.0.store(stamp | FRESH, Ordering::Relaxed);
                }
            }
            // Further invalid exemplars are likely: the next one is examined only after a scrape.
            Err(()) => {
                self.0.fetch_or(FRESH, Ordering::Relaxed);
            }
        }
    }

    /// Copies another mark.
    pub(in crate::registry) fn set(&self, mark: Self) {
        self.0.store(mark.0.into_inner(), Ordering::Relaxed);
    }

    /// Whether there never was an exemplar.
    #[inline]
    pub(in crate::registry) fn is_none(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// The exemplar, which is then marked as read.
    pub(in crate::registry) fn read(&self, common: &Common) -> Option<Exemplar> {
        // The common case in a family with created times: saves the write.
        if self.is_none() {
            return None;
        }
        let mark = self.0.fetch_and(!FRESH, Ordering::Relaxed);
        common.ring().get(mark & !FRESH)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ring::{KEPT, LAST};
    use super::*;
    use crate::util::Clock;

    fn common() -> Common {
        Common::new(Clock::manual().0, false)
    }

    fn offer(mark: &Mark, common: &Common, id: &str) {
        mark.offer(common, 1.0, |labels| labels.push("id", id));
    }

    fn read(mark: &Mark, common: &Common) -> Option<String> {
        let exemplar = mark.read(common)?;
        Some(exemplar.labels().to_owned())
    }

    #[test]
    fn the_next_is_taken_when_the_last_was_read() {
        let (common, mark) = (common(), Mark::default());
        assert_eq!(read(&mark, &common), None);
        offer(&mark, &common, "1");
        mark.offer(&common, 1.0, |_| unreachable!("it is not asked for"));
        assert_eq!(read(&mark, &common).unwrap(), "id=\"1\"");
        assert_eq!(read(&mark, &common).unwrap(), "id=\"1\"", "it stays");
        offer(&mark, &common, "2");
        assert_eq!(read(&mark, &common).unwrap(), "id=\"2\"");
    }

    #[test]
    fn wrong_labels_are_counted_once_a_scrape_and_take_nothing_away() {
        let (common, mark) = (common(), Mark::default());
        offer(&mark, &common, "1");
        read(&mark, &common);
        let wrong = |labels: &mut ExemplarLabels| labels.push("no name", "x");
        for rejected in [1, 2] {
            mark.offer(&common, 1.0, wrong);
            mark.offer(&common, 1.0, wrong);
            assert_eq!(common.rejected_exemplars(), rejected);
            assert_eq!(read(&mark, &common).unwrap(), "id=\"1\"");
        }
    }

    #[test]
    fn without_labels_there_is_no_exemplar() {
        let (common, mark) = (common(), Mark::default());
        mark.offer(&common, 1.0, |_| {});
        assert_eq!(read(&mark, &common), None);
        offer(&mark, &common, "1");
        assert!(read(&mark, &common).is_some());
    }

    #[test]
    fn the_oldest_give_way() {
        let common = common();
        common.ring().0.lock().last = LAST - 3;
        let marks: Vec<Mark> = (0..KEPT + 2).map(|_| Mark::default()).collect();
        // As they are when this many exemplars have been stored.
        let filler = common.exemplar(1.0, |labels| labels.push("id", "x"));
        let filler = filler.unwrap().unwrap();
        common.ring().0.lock().exemplars = vec![(0, filler); KEPT as usize];
        for (at, mark) in marks.iter().enumerate() {
            offer(mark, &common, &at.to_string());
        }
        for (at, mark) in marks.iter().enumerate() {
            let want = (at >= 2).then(|| format!("id=\"{at}\""));
            assert_eq!(read(mark, &common), want);
        }
        assert_eq!(common.ring().0.lock().exemplars.len(), KEPT as usize);
    }
}
