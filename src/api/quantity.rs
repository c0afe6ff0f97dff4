//! Quantities (`500m`, `1.5Gi`, `1e3`) exactly as Kubernetes' resource.Quantity reads them.
//!
//! `k8s.io/apimachinery/pkg/api/resource/quantity.go`: nano units at the finest, rounded up (away from zero), and capped
//! at the largest 64-bit integer.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{Add, Mul, Sub};

/// An amount, exact to a billionth.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nano: i128,
    /// How it is shown; says nothing of the amount.
    form: Form,
}

/// In which units an amount was written (apimachinery's `Format`). A sum is shown in those of its first term that has any.
#[derive(Clone, Copy, Debug, Default)]
enum Form {
    /// None.
    #[default]
    Plain,
    /// Powers of 1024: `Mi`.
    Binary,
    /// Powers of 1000: `M`.
    Decimal,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.nano == other.nano
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        self.nano.cmp(&other.nano)
    }
}

impl Hash for Quantity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nano.hash(state);
    }
}

const NANO: i128 = 1_000_000_000;
/// `2^63 - 1`: larger amounts are read as this one.
const CAP: i128 = i64::MAX as i128 * NANO;

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAQuantity;

impl fmt::Display for NotAQuantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a quantity: a number with one of the suffixes n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei or an exponent")
    }
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity { nano: 0, form: Form::Plain };

    /// A whole number of units.
    pub fn units(count: u64) -> Quantity {
        Quantity { nano: (i128::from(count) * NANO).min(CAP), form: Form::Plain }
    }

    /// Reads a quantity.
    ///
    /// # Errors
    ///
    /// When the API server would refuse it.
    pub fn parse(text: &str) -> Result<Quantity, NotAQuantity> {
        // `UnmarshalJSON` takes spaces off.
        let text = text.trim();
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        // Without a digit it is nothing, `m` as `Gi` (`apimachinery/pkg/api/resource/quantity.go`, parseQuantityString).
        if text.is_empty() || fraction.contains('.') {
            return Err(NotAQuantity);
        }
        let (nano, form) = match scale(suffix).ok_or(NotAQuantity)? {
            Scale::Binary(exponent) => (binary(whole, fraction, exponent), Form::Binary),
            Scale::Decimal(exponent) => {
                let is_large = matches!(suffix, "k" | "M" | "G" | "T" | "P" | "E");
                let form = if is_large { Form::Decimal } else { Form::Plain };
                (decimal(whole, fraction, exponent), form)
            }
        };
        Ok(Quantity { nano: if negative { -nano } else { nano }, form })
    }

    /// Whether a text that is a quantity has no digit, which Kubernetes reads as nothing.
    pub fn is_bare(text: &str) -> bool {
        let number = text.trim_start_matches(['+', '-']);
        !number.starts_with(|it: char| it.is_ascii_digit())
            && !number
                .strip_prefix('.')
                .is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()))
    }

    /// This many times as much; capped like a parsed quantity.
    pub fn times(self, count: u64) -> Quantity {
        Quantity { nano: self.nano.saturating_mul(i128::from(count)), ..self }
    }

    /// How many times `each` goes into this amount; `None` if `each` is not more than nothing.
    pub fn holds(self, each: Quantity) -> Option<u64> {
        (each.nano > 0).then(|| u64::try_from(self.nano.max(0) / each.nano).unwrap_or(u64::MAX))
    }

    /// This amount as a multiple of another, to compare such multiples.
    pub fn ratio(self, of: Quantity) -> f64 {
        self.nano as f64 / of.nano as f64
    }

    /// The amount as the API server stores it in lists of resources: to the thousandth, rounded up
    /// (`pkg/apis/core/v1/defaults.go`, SetDefaults_ResourceList).
    pub fn stored(self) -> Quantity {
        Quantity { nano: self.milli() * (NANO / 1000), ..self }
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    /// Whether it is less than nothing.
    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    /// Whether it has no fraction.
    pub fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }

    /// The amount as a whole number of thousandths, rounded up: how the scheduler and quotas count CPU.
    pub fn milli(self) -> i128 {
        div_up(self.nano, NANO / 1000)
    }

    /// The amount in the units that people use for this resource, `500m` or `9.6` CPU; of bytes in those in which it was
    /// written, `512Mi` or `64M`.
    pub fn show(self, resource: &str) -> String {
        if is_cpu(resource) {
            return self.show_cpu();
        }
        let bytes =
            ["memory", "storage", "ephemeral-storage"].iter().any(|it| resource.ends_with(it))
                || resource.contains("hugepages-");
        if !bytes || self.nano % NANO != 0 {
            return self.to_string();
        }
        let value = self.nano / NANO;
        const BINARY: [(&str, u32); 6] =
            [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
        const DECIMAL: [(&str, u32); 6] =
            [("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3)];
        let binary = BINARY.iter().map(|(name, bits)| (*name, 1_i128 << bits));
        let decimal = DECIMAL.iter().map(|(name, zeros)| (*name, 10_i128.pow(*zeros)));
        let mut units: Vec<_> = match self.form {
            Form::Binary => binary.collect(),
            Form::Decimal => decimal.collect(),
            // Whichever gives a number that people would have written: `1Gi`, `64M`.
            Form::Plain => binary.chain(decimal).filter(|(_, each)| *each > 100_000).collect(),
        };
        units.retain(|(_, each)| value != 0 && value % each == 0);
        let unit = units.first();
        unit.map_or(value.to_string(), |(name, each)| format!("{}{name}", value / each))
    }

    /// An amount of this many billionths, shown as this one or else as another.
    fn with(self, nano: i128, other: Quantity) -> Quantity {
        let form = if matches!(self.form, Form::Plain) { other.form } else { self.form };
        Quantity { nano, form }
    }

    fn show_cpu(self) -> String {
        let milli = self.milli();
        if milli.abs() < 1000 && milli != 0 {
            format!("{milli}m")
        } else {
            Quantity { nano: milli * 1_000_000, ..self }.to_string()
        }
    }
}

/// `cpu`, `requests.cpu`, `limits.cpu`.
fn is_cpu(resource: &str) -> bool {
    resource == "cpu" || resource.ends_with(".cpu")
}

enum Scale {
    /// A power of two.
    Binary(u32),
    /// A power of ten.
    Decimal(i32),
}

fn scale(suffix: &str) -> Option<Scale> {
    Some(match suffix {
        "Ki" => Scale::Binary(10),
        "Mi" => Scale::Binary(20),
        "Gi" => Scale::Binary(30),
        "Ti" => Scale::Binary(40),
        "Pi" => Scale::Binary(50),
        "Ei" => Scale::Binary(60),
        "n" => Scale::Decimal(-9),
        "u" => Scale::Decimal(-6),
        "m" => Scale::Decimal(-3),
        "" => Scale::Decimal(0),
        "k" => Scale::Decimal(3),
        "M" => Scale::Decimal(6),
        "G" => Scale::Decimal(9),
        "T" => Scale::Decimal(12),
        "P" => Scale::Decimal(15),
        "E" => Scale::Decimal(18),
        exponent => {
            let digits = exponent.strip_prefix(['e', 'E'])?;
            Scale::Decimal(digits.parse::<i32>().ok()?)
        }
    })
}

/// A number times a power of ten, digit by digit: however long it is, it ends at the cap or below a billionth.
fn decimal(whole: &str, fraction: &str, exponent: i32) -> i128 {
    let whole = whole.trim_start_matches('0');
    let digits: Vec<i128> =
        whole.bytes().chain(fraction.bytes()).map(|it| i128::from(it - b'0')).collect();
    // The power of ten, in nano units, of the first digit.
    let mut power = whole.len() as i64 - 1 + i64::from(exponent) + 9;
    let mut nano: i128 = 0;
    for digit in digits {
        if power >= 0 {
            if digit != 0 && power > 28 {
                return CAP;
            }
            nano = nano
                .saturating_add(digit.saturating_mul(10_i128.saturating_pow(power.min(38) as u32)));
        } else if digit != 0 {
            // Less than a billionth rounds up to one.
            return (nano + 1).min(CAP);
        }
        power -= 1;
    }
    nano.min(CAP)
}

/// A number of units of `2^bits`, exactly: the fraction is multiplied digit by digit, the last one first.
fn binary(whole: &str, fraction: &str, bits: u32) -> i128 {
    let Ok(units) = format!("0{whole}").parse::<i128>() else { return CAP };
    let mut carry: i128 = 0;
    let mut digits: Vec<u8> = fraction.bytes().rev().map(|it| it - b'0').collect();
    for digit in &mut digits {
        let product = i128::from(*digit) * (1 << bits) + carry;
        *digit = (product % 10) as u8;
        carry = product / 10;
    }
    digits.reverse();
    let units = units.saturating_mul(1 << bits).saturating_add(carry);
    let (near, far) = digits.split_at(digits.len().min(9));
    let nano = near.iter().fold(0, |sum, digit| sum * 10 + i128::from(*digit));
    let nano = nano * 10_i128.pow(9 - near.len() as u32);
    // Less than a billionth rounds up to one.
    let rest = i128::from(far.iter().any(|it| *it != 0));
    units.saturating_mul(NANO).saturating_add(nano + rest).min(CAP)
}

/// Division that rounds away from zero.
fn div_up(value: i128, by: i128) -> i128 {
    let whole = value / by;
    if value % by == 0 { whole } else { whole + value.signum() }
}

impl Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        self.with(self.nano.saturating_add(other.nano), other)
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        self.with(self.nano.saturating_sub(other.nano), other)
    }
}

impl Mul<u64> for Quantity {
    type Output = Quantity;
    fn mul(self, count: u64) -> Quantity {
        self.times(count)
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(iter: I) -> Quantity {
        iter.fold(Quantity::ZERO, Add::add)
    }
}

/// As a decimal number, without a suffix.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nano < 0 { "-" } else { "" };
        let nano = self.nano.unsigned_abs();
        let (whole, rest) = (nano / NANO.unsigned_abs(), nano % NANO.unsigned_abs());
        write!(f, "{sign}{whole}")?;
        if rest > 0 {
            let digits = format!("{rest:09}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, resource: &str) -> String {
        Quantity::parse(text).unwrap().show(resource)
    }

    #[test]
    fn reads_what_kubernetes_reads() {
        for (text, plain) in [
            ("1500m", "1.5"),
            ("1e3", "1000"),
            ("1E3", "1000"),
            ("1Ei", "1152921504606846976"),
            ("1E", "1000000000000000000"),
            ("0.5", "0.5"),
            (".5", "0.5"),
            ("1.", "1"),
            ("0.5Gi", "536870912"),
            ("0.1Ki", "102.4"),
            ("1n", "0.000000001"),
            ("0.1n", "0.000000001"),
            ("-1", "-1"),
            ("+2k", "2000"),
            ("12e-3", "0.012"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9223372036854775807"),
            ("1e99999", "9223372036854775807"),
            ("1e-99999", "0.000000001"),
            ("0e99999", "0"),
            ("m", "0"),
            ("Gi", "0"),
            ("E9", "0"),
            (".", "0"),
            ("-", "0"),
            ("100Ei", "9223372036854775807"),
            ("00000000000000000000000000000000000000000000000001", "1"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), plain, "{text}");
        }
        for text in [
            "",
            "1K",
            "1ki",
            "12e6m",
            "1 Gi",
            "1.2.3",
            "x",
            "e",
            "0x10",
            "1e",
            "1e99999999999",
            "--1",
            "1mi",
        ] {
            assert_eq!(Quantity::parse(text), Err(NotAQuantity), "{text}");
        }
    }

    #[test]
    fn shows_what_people_write() {
        assert_eq!(shown("500m", "requests.cpu"), "500m");
        assert_eq!(shown("9600m", "cpu"), "9.6");
        assert_eq!(shown("1.5m", "cpu"), "2m");
        assert_eq!(shown("114Gi", "limits.memory"), "114Gi");
        assert_eq!(shown("15.5Gi", "memory"), "15872Mi");
        assert_eq!(shown("40G", "memory"), "40G");
        assert_eq!(shown("64M", "memory"), "64M");
        assert_eq!(shown("1500k", "memory"), "1500k");
        assert_eq!(shown("1073741824", "memory"), "1Gi");
        assert_eq!(shown("64000000", "memory"), "64M");
        assert_eq!(shown("1234567", "memory"), "1234567");
        let sum = Quantity::parse("64M").unwrap() + Quantity::parse("36M").unwrap();
        assert_eq!(sum.times(3).show("memory"), "300M");
        assert_eq!(shown("3", "pods"), "3");
        assert_eq!(shown("0", "memory"), "0");
    }

    #[test]
    fn counts_what_fits() {
        let cpu = |it| Quantity::parse(it).unwrap();
        assert_eq!(cpu("20").holds(cpu("1")), Some(20));
        assert_eq!(cpu("20").holds(cpu("300m")), Some(66));
        assert_eq!(cpu("20").holds(Quantity::ZERO), None);
        assert_eq!((cpu("1") - cpu("2")).holds(cpu("1")), Some(0));
    }
}
