use std::collections::BTreeMap;
use std::io::{self, BufRead, Cursor};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::*;
use crate::config::Journal as Settings;
use crate::healing::core::{AttemptId, IssueKey, Record, Severity, Stamp, Wall, What};
use crate::healing::engine::Timeline;
use crate::util::Clock;

/// Files in memory, on a disk that can be full.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    by_number: BTreeMap<u64, Vec<u8>>,
    /// Bytes that may still be written.
    space: Option<usize>,
    syncs: usize,
}

impl Disk {
    fn set_space(&self, space: Option<usize>) {
        self.0.lock().space = space;
    }

    fn file(&self, number: u64) -> Vec<u8> {
        self.0.lock().by_number[&number].clone()
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.0.lock().by_number.get_mut(&number).unwrap());
    }

    fn numbers(&self) -> Vec<u64> {
        self.list().unwrap()
    }
}

impl Store for Disk {
    fn list(&self) -> io::Result<Vec<u64>> {
        Ok(self.0.lock().by_number.keys().copied().collect())
    }

    fn read(&self, number: u64) -> io::Result<Box<dyn BufRead + Send>> {
        Ok(Box::new(Cursor::new(self.file(number))))
    }

    fn create(&self, number: u64) -> io::Result<Box<dyn Append>> {
        self.0.lock().by_number.insert(number, Vec::new());
        Ok(Box::new(File(self.clone(), number)))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        self.0.lock().by_number.remove(&number);
        Ok(())
    }
}

struct File(Disk, u64);

impl Append for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.0.0.lock();
        let fits = disk.space.unwrap_or(usize::MAX).min(bytes.len());
        if let Some(space) = &mut disk.space {
            *space -= fits;
        }
        let file = disk.by_number.get_mut(&self.1).unwrap();
        file.extend_from_slice(&bytes[..fits]);
        if fits < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.0.lock().syncs += 1;
        Ok(())
    }
}

fn record(seq: u64) -> Record {
    Record {
        seq,
        stamp: Stamp {
            wall: Wall::from_millis(seq),
            ..Stamp::default()
        },
        what: What::Worsened {
            key: IssueKey::new("db", format!("type-{}", seq % 2)),
            generation: crate::healing::core::Generation(seq),
            severity: Severity::Error,
        },
    }
}

fn journal(disk: &Disk, settings: Settings) -> Journal {
    let timeline = Timeline::start(Clock::system(), Handle::current());
    tokio::spawn(timeline.clone().tick());
    let store = Arc::new(disk.clone());
    let next = replay(&*store).unwrap().next_number();
    Journal::in_files(store, &Arc::new(settings), next, &timeline)
}

/// Writes records with these numbers after a head that carries nothing over.
async fn write(disk: &Disk, numbers: std::ops::Range<u64>) {
    let journal = journal(disk, Settings::new());
    journal.begin(Vec::new());
    for seq in numbers {
        journal.push(Arc::new(record(seq)));
    }
    journal.close().await;
}

fn numbers(replay: &Replay) -> Vec<u64> {
    replay.records.iter().map(|record| record.seq).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_read_back() {
    let disk = Disk::default();
    write(&disk, 1..40).await;
    let replay = replay(&disk).unwrap();
    assert_eq!(numbers(&replay), (1..40).collect::<Vec<_>>());
    assert_eq!(replay.report.damage, []);
    assert_eq!(replay.next_number(), 2);
}

#[tokio::test(start_paused = true)]
async fn every_prefix_is_valid() {
    let disk = Disk::default();
    write(&disk, 1..6).await;
    let whole = disk.file(1);
    let head = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in 0..=whole.len() {
        disk.change(1, |file| *file = whole[..end].to_vec());
        let replay = replay(&disk).unwrap();
        let lines = whole[..end].split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(
            numbers(&replay),
            (1..6).take(lines.saturating_sub(1)).collect::<Vec<_>>()
        );
        let torn = end > 0 && whole[end - 1] != b'\n';
        let kinds: Vec<_> = replay
            .report
            .damage
            .iter()
            .map(|damage| damage.kind)
            .collect();
        let expected = match end {
            _ if torn => vec![DamageKind::Torn],
            _ if end < head => vec![DamageKind::Headless],
            _ => vec![],
        };
        assert_eq!(kinds, expected, "cut at {end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flipped_bit_ends_the_valid_part() {
    let disk = Disk::default();
    write(&disk, 1..6).await;
    let whole = disk.file(1);
    let ends: Vec<_> = whole
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .collect();
    let third = ends[2].0;
    for at in third + 1..=ends[3].0 {
        disk.change(1, |file| {
            file.clone_from(&whole);
            file[at] ^= 4;
        });
        let replay = replay(&disk).unwrap();
        assert_eq!(numbers(&replay), [1, 2], "byte {at}");
        assert_eq!(replay.report.damage[0].line, 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_newer_version_and_a_gap_end_it_too() {
    let disk = Disk::default();
    write(&disk, 1..4).await;
    disk.change(1, |file| {
        file.extend_from_slice(b"{\"v\":9,\"crc\":\"00000000\",\"x\":1}\n");
    });
    let newer = replay(&disk).unwrap();
    assert_eq!(numbers(&newer), [1, 2, 3]);
    assert_eq!(newer.report.damage[0].kind, DamageKind::Newer);

    let disk = Disk::default();
    let journal = journal(&disk, Settings::new());
    journal.begin(Vec::new());
    journal.push(Arc::new(record(1)));
    journal.push(Arc::new(record(3)));
    journal.close().await;
    let gap = replay(&disk).unwrap();
    assert_eq!(numbers(&gap), [1]);
    assert_eq!(gap.report.damage[0].kind, DamageKind::Gap);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_not_begun_properly_is_passed_over() {
    let disk = Disk::default();
    write(&disk, 1..4).await;
    let journal = journal(&disk, Settings::new());
    journal.begin(vec![record(4), record(5)]);
    journal.close().await;
    assert_eq!(numbers(&replay(&disk).unwrap()), [4, 5]);
    disk.change(2, |file| file.truncate(file.len() - 10));
    let replay = replay(&disk).unwrap();
    assert_eq!(numbers(&replay), [1, 2, 3]);
    assert_eq!(replay.next_number(), 3, "a number is used once");
    assert!(replay.report.damage[0].to_string().contains("file 2"));
}

#[tokio::test(start_paused = true)]
async fn files_are_followed_by_new_ones_and_the_oldest_go() {
    let disk = Disk::default();
    let journal = journal(&disk, Settings::new().max_bytes(4096).keep_files(2));
    let mut progress = journal.progress().unwrap();
    journal.begin(Vec::new());
    let mut seq = 0;
    for _ in 0..5 {
        while !progress.borrow_and_update().wants_new {
            seq += 1;
            journal.push(Arc::new(record(seq)));
            assert!(journal.written(seq).await);
        }
        seq += 1;
        journal.begin(vec![record(seq)]);
    }
    journal.close().await;
    assert_eq!(disk.numbers(), [5, 6]);
    let size = disk.file(5).len();
    assert!((4096..8192).contains(&size), "{size}");

    let all = journal
        .history(HistoryFilter::new().limit(usize::MAX), &Handle::current())
        .await;
    assert!(all.windows(2).all(|two| two[0].seq < two[1].seq));
}

#[tokio::test(start_paused = true)]
async fn a_new_file_is_asked_for_once() {
    let disk = Disk::default();
    let journal = journal(&disk, Settings::new().max_bytes(4096));
    let mut progress = journal.progress().unwrap();
    journal.begin(Vec::new());
    for seq in 1..3_000 {
        journal.push(Arc::new(record(seq)));
    }
    progress.wait_for(|now| now.wants_new).await.unwrap();
    journal.begin(vec![record(3_000)]);
    assert!(journal.written(3_000).await);
    assert!(!progress.borrow().wants_new);
    assert_eq!(disk.numbers(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_old_file_is_followed_by_a_new_one() {
    let disk = Disk::default();
    let journal = journal(&disk, Settings::new().max_age(Duration::from_secs(60)));
    journal.begin(vec![record(1)]);
    assert!(journal.written(1).await);
    tokio::time::advance(Duration::from_secs(61)).await;
    journal.push(Arc::new(record(2)));
    let mut progress = journal.progress().unwrap();
    assert!(
        progress
            .wait_for(|now| now.wants_new)
            .await
            .unwrap()
            .healthy
    );
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_reported_and_tried_again() {
    let disk = Disk::default();
    let journal = journal(&disk, Settings::new());
    journal.begin(Vec::new());
    journal.push(Arc::new(record(1)));
    assert!(journal.written(1).await);
    disk.set_space(Some(20));
    journal.push(Arc::new(record(2)));
    assert!(!journal.written(2).await);
    assert_eq!(journal.recent(9).len(), 2, "the memory has them all");

    let mut progress = journal.progress().unwrap();
    progress.wait_for(|now| now.wants_new).await.unwrap();
    for _ in 0..3 {
        journal.begin(vec![record(3)]);
        let again = progress.wait_for(|now| now.wants_new).await.unwrap();
        assert!(!again.healthy);
    }
    disk.set_space(None);
    journal.begin(vec![record(3)]);
    progress.wait_for(|now| now.healthy).await.unwrap();
    journal.push(Arc::new(record(4)));
    assert!(journal.written(4).await);
    let last = *disk.numbers().last().unwrap();
    assert_eq!(disk.numbers(), [1, last], "what was begun in vain is gone");
    assert_eq!(numbers(&replay(&disk).unwrap()), [3, 4]);
}

#[tokio::test(start_paused = true)]
async fn the_disk_is_asked_to_hold_it_as_configured() {
    use crate::config::Fsync;
    for (fsync, expected) in [(Fsync::Always, 5), (Fsync::OnIntent, 2), (Fsync::Never, 1)] {
        let disk = Disk::default();
        let journal = journal(&disk, Settings::new().fsync(fsync));
        journal.begin(vec![record(1)]);
        assert!(journal.written(1).await);
        for seq in 2..5 {
            journal.push(Arc::new(record(seq)));
            assert!(journal.written(seq).await);
        }
        journal.close().await;
        assert_eq!(disk.0.lock().syncs, expected, "{fsync:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn history_reads_where_the_memory_ends() {
    let disk = Disk::default();
    let journal = journal(&disk, Settings::new().memory(5));
    journal.begin(Vec::new());
    for seq in 1..30 {
        journal.push(Arc::new(record(seq)));
    }
    assert!(journal.written(29).await);
    let of = async |filter: HistoryFilter| -> Vec<u64> {
        let found = journal.history(filter, &Handle::current()).await;
        found.iter().map(|record| record.seq).collect()
    };
    assert_eq!(of(HistoryFilter::new().limit(3)).await, [27, 28, 29]);
    assert_eq!(of(HistoryFilter::new()).await, (1..30).collect::<Vec<_>>());
    let odd = HistoryFilter::new().key(IssueKey::new("db", "type-1"));
    assert_eq!(of(odd.clone().limit(5)).await, [21, 23, 25, 27, 29]);
    let window = odd
        .since(Wall::from_millis(10))
        .until(Wall::from_millis(14));
    assert_eq!(of(window).await, [11, 13]);
    assert!(of(HistoryFilter::new().component("web")).await.is_empty());
    assert!(
        of(HistoryFilter::new().attempt(AttemptId(1)))
            .await
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn history_reports_nothing_twice() {
    let disk = Disk::default();
    write(&disk, 1..10).await;
    let left = replay(&disk).unwrap();
    let journal = journal(&disk, Settings::new().memory(3));
    journal.begin_with_copy(left.records);
    for seq in 10..20 {
        journal.push(Arc::new(record(seq)));
    }
    assert!(journal.written(19).await);
    assert_eq!(disk.numbers(), [1, 2]);
    let found = journal
        .history(HistoryFilter::new(), &Handle::current())
        .await;
    let numbers: Vec<_> = found.iter().map(|record| record.seq).collect();
    assert_eq!(numbers, (1..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_files_nothing_is_waited_for() {
    let journal = Journal::in_memory(&Settings::new().memory(2));
    for seq in 1..9 {
        journal.push(Arc::new(record(seq)));
    }
    assert!(journal.written(8).await);
    assert!(journal.progress().is_none());
    assert_eq!(journal.recent(9).len(), 2);
    journal.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_slept_with_its_process_is_not_stuck() {
    async fn advance(by: Duration) {
        tokio::time::advance(by).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    let disk = Disk::default();
    let journal = journal(&disk, Settings::new());
    journal.begin(Vec::new());
    journal.push(Arc::new(record(1)));
    assert!(journal.written(1).await);

    let (go_on, waits) = std::sync::mpsc::channel::<()>();
    let (holds, held) = tokio::sync::oneshot::channel();
    let slow = disk.clone();
    let holder = std::thread::spawn(move || {
        let _held = slow.0.lock();
        holds.send(()).unwrap();
        let _ = waits.recv();
    });
    held.await.unwrap();
    let mut progress = journal.progress().unwrap();
    journal.push(Arc::new(record(2)));
    advance(Duration::from_millis(1)).await;
    advance(Duration::from_secs(3600)).await;
    assert!(progress.borrow().healthy, "no one was awake");
    for _ in 0..60 {
        advance(Duration::from_millis(100)).await;
    }
    assert!(!progress.borrow().healthy, "this disk hangs");
    drop(go_on);
    holder.join().unwrap();
    progress.wait_for(|now| now.healthy).await.unwrap();
}
