//! What a user of the API is told: denials in one text, warnings each in a line, within the API server's limits.
//!
//! Of several webhooks that deny, only the first is heard, so one message says everything. Warnings are cut by the API
//! server at 256 characters each once all together have more than 4,096
//! (`k8s.io/apiserver/pkg/endpoints/filters/warning.go`).

use super::notice::Notice;
use super::verdict::Verdict;
use crate::text::visible::visible;
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of a denial's message.
pub(super) const MOST_OF_DENIAL: usize = 4096;

/// The most characters of one warning. Kubernetes would have 120 where that is possible; a sentence that names both objects
/// and the sum seldom is as short, and cut off there it names one. At 256 the API server itself begins to cut.
pub(super) const MOST_OF_WARNING: usize = 256;

/// The most characters of all warnings; others may warn as well.
pub(super) const MOST_OF_WARNINGS: usize = 3600;

/// The most bytes of one audit annotation.
const MOST_OF_ANNOTATION: usize = 1024;

/// The message of a denial.
pub(super) fn denial(denials: &[Notice]) -> String {
    // Room for the closing line.
    let room = MOST_OF_DENIAL - 64;
    let mut text = String::new();
    for (at, notice) in denials.iter().enumerate() {
        let paragraph = self::text(notice);
        if at > 0 && text.len() + 2 + paragraph.len() > room {
            text.push_str(&format!("\n\nand {} more", denials.len() - at));
            return text;
        }
        if at > 0 {
            text.push_str("\n\n");
        }
        text.push_str(cut(&paragraph, room));
        if paragraph.len() > room {
            text.push('…');
        }
    }
    text
}

/// The warnings, each once.
pub(super) fn warnings(warnings: &[Notice]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let lines =
        warnings.iter().map(|it| line(&format!("{}: {}{}", it.rule, it.message, others(it))));
    let lines: Vec<String> = lines.filter(|it| seen.insert(it.clone())).collect();
    let mut told = Vec::new();
    let mut characters = 0;
    for (at, line) in lines.iter().enumerate() {
        characters += line.chars().count();
        if characters > MOST_OF_WARNINGS {
            told.push(format!("and {} more warnings of purlin", lines.len() - at));
            break;
        }
        told.push(line.clone());
    }
    told
}

/// What goes to the API server's audit log: the rules, by what became of their findings.
pub(super) fn audit_annotations(verdict: &Verdict) -> BTreeMap<&'static str, String> {
    let of = |notices: &[Notice]| {
        let rules: BTreeSet<_> = notices.iter().map(|it| it.rule).collect();
        let rules: Vec<_> = rules.into_iter().collect();
        cut(&rules.join(","), MOST_OF_ANNOTATION).to_string()
    };
    let all =
        [("denied", &verdict.denials), ("warned", &verdict.warnings), ("audited", &verdict.audit)];
    all.into_iter().filter(|(_, it)| !it.is_empty()).map(|(name, it)| (name, of(it))).collect()
}

/// The objects that a message does not name, in parentheses; two of them stand for many.
fn others(notice: &Notice) -> String {
    let names = notice.objects.iter().map(ToString::to_string);
    let others: Vec<String> = names.filter(|it| !notice.message.contains(it.as_str())).collect();
    let more = others.len().saturating_sub(2);
    let shown: Vec<String> = others.into_iter().take(2).map(|it| format!("`{it}`")).collect();
    match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (_, 0) => format!(" ({})", shown.join(", ")),
        (_, more) => format!(" ({} and {more} more)", shown.join(", ")),
    }
}

/// One line of at most [`MOST_OF_WARNING`] characters.
fn line(text: &str) -> String {
    let text = visible(text);
    if text.chars().count() <= MOST_OF_WARNING {
        return text.into_owned();
    }
    let mut short: String = text.chars().take(MOST_OF_WARNING - 1).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

/// The first `most` bytes, or a few less: characters stay whole.
fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

/// A notice in one text: the rule and what is wrong, the objects and their fields, the sums, and what to do. Each stands
/// on a line of its own, whatever other people wrote into it.
pub fn text(notice: &Notice) -> String {
    let mut lines = vec![format!("{}: {}", notice.rule, notice.message)];
    lines.extend(notice.places.iter().map(|it| match it.text.as_str() {
        "" => format!("  {} {}", it.object, it.path),
        text => format!("  {} {}: {text}", it.object, it.path),
    }));
    lines.extend(notice.notes.iter().map(|it| format!("  note: {it}")));
    lines.extend(notice.help.iter().map(|it| format!("  help: {it}")));
    let lines: Vec<_> = lines.iter().map(|it| visible(it)).collect();
    lines.join("\n")
}
