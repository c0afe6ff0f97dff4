//! Any text as a quantity: it says what it means in every form it is printed in, and adds up.
#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin::model::quantity::Quantity;

fuzz_target!(|texts: (&str, &str)| {
    let Ok(a) = Quantity::parse(texts.0) else { return };
    assert_eq!(Quantity::parse(&a.to_string()), Ok(a), "{}", texts.0);
    for resource in ["cpu", "memory", "requests.cpu", "pods"] {
        let rounded = a.rounded(resource);
        assert_eq!(rounded.rounded(resource), rounded, "{}", texts.0);
        assert_eq!(
            Quantity::parse(&rounded.show(resource)),
            Ok(rounded),
            "{} of {resource}",
            texts.0
        );
        assert!(a.is_negative() || rounded >= a, "{}", texts.0);
    }
    assert!(a.is_negative() || a.milli() * 1000 >= a.value() * 1000 - 999_000, "{}", texts.0);
    let Ok(b) = Quantity::parse(texts.1) else { return };
    assert_eq!(a + b - b, a, "{} and {}", texts.0, texts.1);
    assert_eq!(a + b, b + a);
    if let Some(times) = a.holds(b) {
        assert!(
            b.times(times) <= a || a.is_negative(),
            "{} holds {} {times} times",
            texts.0,
            texts.1
        );
    }
});
