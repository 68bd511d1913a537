//! The report as SVG: one bar a row, its length on a logarithmic scale within its workload.

use std::fmt::Write;

use crate::report::Report;

const ROW_PX: usize = 18;
const LABELS_PX: usize = 470;
const BARS_PX: f64 = 420.0;
const COLOURS: [&str; 4] = ["#2563eb", "#d97706", "#059669", "#9333ea"];

pub(crate) fn svg(report: &Report) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut body = String::new();
    let mut y = ROW_PX;
    let mut last = "";
    for row in &report.rows {
        if !names.contains(&row.contestant) {
            names.push(row.contestant);
        }
        if row.what != last {
            y += ROW_PX / 2;
            last = &row.what;
        }
        let same_unit = report.rows.iter().filter(|other| other.unit == row.unit);
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for other in same_unit {
            low = low.min(other.value.max(f64::MIN_POSITIVE));
            high = high.max(other.value);
        }
        let share = (row.value.max(low) / low).ln() / (high / low).ln().max(f64::MIN_POSITIVE);
        let width = BARS_PX * (0.05 + 0.95 * share.clamp(0.0, 1.0));
        let colour = names.iter().position(|name| *name == row.contestant);
        let colour = COLOURS[colour.unwrap_or(0) % COLOURS.len()];
        let text = y + ROW_PX - 5;
        let _ = writeln!(
            body,
            "<text x='4' y='{text}'>{}, {}</text>\
             <rect x='{LABELS_PX}' y='{}' width='{width:.0}' height='{}' fill='{colour}'/>\
             <text x='{:.0}' y='{text}'>{:.3} {}</text>",
            row.what,
            row.contestant,
            y + 2,
            ROW_PX - 4,
            LABELS_PX as f64 + width + 6.0,
            row.value,
            row.unit.name(),
        );
        y += ROW_PX;
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='1060' height='{}' font-family='sans-serif' \
         font-size='12'>\n<rect width='100%' height='100%' fill='white'/>\n\
         <text x='4' y='14'>Medians; bars are logarithmic within a unit</text>\n{body}</svg>\n",
        y + ROW_PX
    )
}
