//! How much room text takes, on the safe side: the fonts that a viewer has are not known.

/// How heavy letters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// As running text.
    Regular,
    /// As a heading.
    Bold,
}

/// The advance of the printable ASCII characters in DejaVu Sans, the widest font of the stack, in hundredths of the size.
#[rustfmt::skip]
const REGULAR: [u8; 95] = [
    32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 54,
    100, 69, 69, 70, 78, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64, 62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50,
    50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98, 64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
];

/// The same of its bold face.
#[rustfmt::skip]
const BOLD: [u8; 95] = [
    35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70, 40, 40, 84, 84, 84, 59,
    100, 78, 77, 74, 84, 69, 69, 83, 84, 38, 38, 78, 64, 100, 84, 86, 74, 86, 78, 73, 69, 82, 78, 111, 78, 73, 73, 46, 37, 46, 84, 50,
    50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35, 105, 72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84,
];

/// The width of a line of text.
pub(super) fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let hundredths: u32 = text.chars().map(|it| advance(it, weight)).sum();
    f64::from(hundredths) * size / 100.0
}

fn advance(character: char, weight: Weight) -> u32 {
    let table = match weight {
        Weight::Regular => &REGULAR,
        Weight::Bold => &BOLD,
    };
    let at = (character as usize).wrapping_sub(32);
    match table.get(at) {
        Some(it) => u32::from(*it),
        // Letters of other alphabets are narrower, ideographs and pictures up to as wide as this.
        None if (character as u32) < 0x1100 => 110,
        None => 130,
    }
}

/// The text, with what does not fit taken out of its middle: names that differ tend to do so at the ends.
pub(super) fn fit(text: &str, room: f64, size: f64, weight: Weight) -> String {
    // Nothing that a viewer would break a line at, and nothing without a shape.
    let clean: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    if width(&clean, size, weight) <= room {
        return clean;
    }
    let characters: Vec<char> = clean.chars().collect();
    for kept in (2..characters.len()).rev() {
        let tail = kept / 2;
        let head = kept - tail;
        let short: String = characters[..head]
            .iter()
            .chain(&['…'])
            .chain(&characters[characters.len() - tail..])
            .collect();
        if width(&short, size, weight) <= room {
            return short;
        }
    }
    String::from("…")
}
