//! When a CronJob runs: the expression in `spec.schedule`.
//!
//! `github.com/robfig/cron/v3`, parser.go (ParseStandard) and spec.go, as `pkg/controller/cronjob/utils.go` uses them.

use jiff::Span;
use jiff::civil::{Date, date};

/// The times of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At these times of these days.
    Times(Times),
    /// `@every`: so many seconds after the last time.
    Every(u64),
}

/// Sets of minutes, hours and days, a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether any day of the month, or of the week, will do.
    is_any_day: bool,
    is_any_weekday: bool,
}

const DAY: i64 = 24 * 60;

impl Schedule {
    /// Reads an expression; `None` where the API server refuses it.
    pub fn parse(text: &str) -> Option<Schedule> {
        let text = text.trim();
        match text.strip_prefix('@') {
            Some(name) => descriptor(name),
            None => times(text).map(Schedule::Times),
        }
    }

    /// Whether there is a time at which it runs.
    pub fn ever_runs(&self) -> bool {
        match self {
            Schedule::Every(_) => true,
            Schedule::Times(times) => times.dates().next().is_some(),
        }
    }

    /// The shortest time between two runs, in seconds; `None` where there are none.
    pub fn shortest_gap(&self) -> Option<i64> {
        match self {
            Schedule::Every(seconds) => i64::try_from(*seconds).ok(),
            Schedule::Times(times) => times.shortest_gap().map(|it| it * 60),
        }
    }
}

impl Times {
    /// The days on which it runs, of eight years with two leap days.
    fn dates(&self) -> impl Iterator<Item = Date> {
        let (first, days) = (date(2024, 1, 1), 8 * 366);
        let all = (0..days).filter_map(move |it| first.checked_add(Span::new().days(it)).ok());
        all.filter(|it| self.is_on(*it))
    }

    /// A day that is restricted by its number and by its weekday needs only one of both (spec.go, dayMatches).
    fn is_on(&self, day: Date) -> bool {
        let has = |set: u64, number: i8| set & (1 << number) != 0;
        let of_month = has(self.days, day.day());
        let of_week = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        let is_on = match self.is_any_day || self.is_any_weekday {
            true => of_month && of_week,
            false => of_month || of_week,
        };
        is_on && has(self.months, day.month())
    }

    fn shortest_gap(&self) -> Option<i64> {
        let minutes = self.minutes_of_day();
        let (first, last) = (*minutes.first()?, *minutes.last()?);
        let within = minutes.windows(2).map(|it| it[1] - it[0]).min();
        let days: Vec<_> = self.dates().collect();
        days.first()?;
        let between =
            days.windows(2).filter_map(|it| Some(i64::from(it[0].until(it[1]).ok()?.get_days())));
        let between = between.min().map(|it| it * DAY + first - last);
        within.into_iter().chain(between).min()
    }

    fn minutes_of_day(&self) -> Vec<i64> {
        let each = (0..DAY).filter(|it| {
            self.hours & (1 << (it / 60)) != 0 && self.minutes & (1 << (it % 60)) != 0
        });
        each.collect()
    }
}

fn descriptor(name: &str) -> Option<Schedule> {
    let text = match name {
        "yearly" | "annually" => "0 0 1 1 *",
        "monthly" => "0 0 1 * *",
        "weekly" => "0 0 * * 0",
        "daily" | "midnight" => "0 0 * * *",
        "hourly" => "0 * * * *",
        _ => return name.strip_prefix("every ").and_then(duration).map(Schedule::Every),
    };
    times(text).map(Schedule::Times)
}

/// A duration as Go writes it; less than a second is one.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits =
            rest.find(|it: char| !it.is_ascii_digit() && it != '.').filter(|it| *it > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        let unit = &rest[digits..];
        let end = unit.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(unit.len());
        seconds += number
            * match &unit[..end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &unit[end..];
    }
    (!text.trim().is_empty()).then_some((seconds as u64).max(1))
}

fn times(text: &str) -> Option<Times> {
    let fields: Vec<_> = text.split_whitespace().collect();
    let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
    let (minutes, _) = field(minutes, (0, 59), &[])?;
    let (hours, _) = field(hours, (0, 23), &[])?;
    let (days, is_any_day) = field(days, (1, 31), &[])?;
    let (months, _) = field(months, (1, 12), &MONTHS)?;
    let (weekdays, is_any_weekday) = field(weekdays, (0, 6), &WEEKDAYS)?;
    Some(Times { minutes, hours, days, months, weekdays, is_any_day, is_any_weekday })
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The set of a field, and whether it is any.
fn field(text: &str, bounds: (u32, u32), names: &[&str]) -> Option<(u64, bool)> {
    let parts = text.split(',').filter(|it| !it.is_empty());
    parts.map(|it| range(it, bounds, names)).try_fold((0, false), |all, part| {
        let part = part?;
        Some((all.0 | part.0, all.1 || part.1))
    })
}

/// `*`, `5`, `1-5`, each perhaps with a step; `5/10` goes up to the greatest.
fn range(text: &str, (least, most): (u32, u32), names: &[&str]) -> Option<(u64, bool)> {
    let (of, step) = match text.split_once('/') {
        Some((of, step)) => (of, Some(step.parse::<u32>().ok().filter(|it| *it > 0)?)),
        None => (text, None),
    };
    let number = |text: &str| {
        let named = names.iter().position(|it| it.eq_ignore_ascii_case(text));
        named.map(|it| it as u32 + least).or_else(|| text.parse().ok())
    };
    let is_any = matches!(of, "*" | "?");
    let (first, last) = match of.split_once('-') {
        _ if is_any => (least, most),
        Some((first, last)) => (number(first)?, number(last)?),
        None => {
            let first = number(of)?;
            (first, if step.is_some() { most } else { first })
        }
    };
    if first < least || last > most || first > last {
        return None;
    }
    let step = step.unwrap_or(1);
    let set = (first..=last).step_by(step as usize).fold(0, |set, it| set | 1 << it);
    Some((set, is_any && step == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn runs(text: &str, expected: bool) {
        let schedule = Schedule::parse(text).expect(text);
        assert_eq!(schedule.ever_runs(), expected, "{text}");
    }

    #[test]
    fn some_dates_never_come() {
        runs("0 0 30 2 *", false);
        runs("0 0 31 4,6,9,11 *", false);
        runs("0 0 30,31 feb ?", false);
        runs("0 0 29 2 *", true);
        runs("0 0 31 * *", true);
        runs("0 0 31 4-7 *", true);
        runs("@yearly", true);
    }

    #[test]
    fn a_day_and_a_weekday_are_alternatives() {
        runs("0 0 30 2 1", true);
        runs("0 0 30 2 */2", true);
        runs("0 0 */31 2 *", true);
    }

    #[test]
    fn what_the_api_server_refuses_is_none() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* * * * 7",
            "5-1 * * * *",
            "*/0 * * * *",
            "@often",
            "x * * * *",
        ] {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }

    #[test]
    fn gaps_are_between_neighbours() {
        let gap = |text: &str| Schedule::parse(text).and_then(|it| it.shortest_gap());
        assert_eq!(gap("*/5 * * * *"), Some(5 * 60));
        assert_eq!(gap("0 * * * *"), Some(60 * 60));
        assert_eq!(gap("0 3 * * *"), Some(24 * 60 * 60));
        assert_eq!(gap("0 3,23 * * *"), Some(4 * 60 * 60));
        assert_eq!(gap("0 3 * * sun"), Some(7 * 24 * 60 * 60));
        assert_eq!(gap("@every 1h30m"), Some(90 * 60));
        assert_eq!(gap("0 0 30 2 *"), None);
    }
}
