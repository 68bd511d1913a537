//! A delta makes the new image out of the old one, and is as small as what changed.

use proptest::prelude::*;

use super::super::delta::Delta;
use super::super::image::{Image, Section};
use super::image;

/// Few keys and few letters, so that images have much in common.
fn images() -> impl Strategy<Value = Image> {
    let bytes = prop_oneof![
        prop::collection::vec(0u8..2, 0..200),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(("[a-f]", bytes), 0..6).prop_map(|sections| {
        let mut image = Image::default();
        for (key, bytes) in sections {
            if image.sections.iter().all(|section| section.key != key) {
                let (key, bytes) = (key.into(), bytes.into());
                image.sections.push(Section { key, bytes });
            }
        }
        image
    })
}

proptest! {
    #[test]
    fn applied_it_gives_the_new_image(before in images(), after in images()) {
        let delta = Delta::between(Some(&before), &after);
        prop_assert_eq!(delta.apply(Some(&before)).unwrap(), after);
    }

    #[test]
    fn without_an_image_before_it_gives_the_new_one(after in images()) {
        prop_assert_eq!(Delta::between(None, &after).apply(None).unwrap(), after);
    }

    #[test]
    fn on_another_image_it_never_panics(
        before in images(), after in images(), other in images(),
    ) {
        let _ = Delta::between(Some(&before), &after).apply(Some(&other));
    }

    #[test]
    fn a_cut_anywhere_is_small(
        bytes in prop::collection::vec(any::<u8>(), 1_000..5_000),
        at in any::<prop::sample::Index>(),
        new in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let mut changed = bytes.clone();
        let at = at.index(bytes.len());
        let end = bytes.len().min(at + 50);
        changed.splice(at..end, new);
        assert_small(&bytes, &changed, 50);
    }
}

fn assert_small(before: &[u8], after: &[u8], changed_bytes: usize) {
    let stays = [7; 100_000];
    let before = image(&[("first", &stays), ("list", before), ("last", &stays)]);
    let after = image(&[("first", &stays), ("list", after), ("last", &stays)]);
    let delta = Delta::between(Some(&before), &after);
    let record = crate::codec::encode_record(&delta).unwrap();
    assert!(
        record.len() <= changed_bytes + 40,
        "{} bytes for a change of {changed_bytes}",
        record.len()
    );
    assert_eq!(delta.apply(Some(&before)).unwrap(), *after);
}

#[test]
fn an_append_is_small() {
    let list: Vec<u8> = (0..500_000u32).map(|n| ((n * 31) >> 3) as u8).collect();
    assert_small(&list, &[&list[..], &[1; 100]].concat(), 100);
}

#[test]
fn a_removal_at_the_front_is_small() {
    let list: Vec<u8> = (0..500_000u32).map(|n| ((n * 31) >> 3) as u8).collect();
    assert_small(&list, &list[100..], 0);
}

#[test]
fn a_moved_section_costs_nothing() {
    let (a, b) = ([1; 10_000], [2; 10_000]);
    let before = image(&[("a", &a), ("b", &b)]);
    let after = image(&[("b", &b), ("a", &a)]);
    let delta = Delta::between(Some(&before), &after);
    assert!(crate::codec::encode_record(&delta).unwrap().len() < 40);
    assert_eq!(delta.apply(Some(&before)).unwrap(), *after);
}

#[test]
fn on_the_wrong_image_it_fails() {
    let before = image(&[("list", &[1; 100])]);
    let after = image(&[("list", &[1; 120])]);
    let other = image(&[("list", &[2; 100])]);
    let delta = Delta::between(Some(&before), &after);
    assert!(delta.clone().apply(Some(&other)).is_err());
    assert!(delta.apply(None).is_err());
}
