//! Plots of what was measured or played, as SVG.

use std::ops::Range;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 420);
/// Told apart by those who see few colours too. Source: Okabe and Ito, "Color Universal Design", 2008.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// What runs along one side, and whether its steps are powers of ten.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    pub label: String,
    pub logarithmic: bool,
}

impl Axis {
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), logarithmic: false }
    }

    pub fn logarithmic(label: &str) -> Self {
        Self { label: label.to_owned(), logarithmic: true }
    }

    /// From 0, or from the lowest that a logarithm has, to a little more than the highest.
    fn range(&self, values: impl Iterator<Item = f64> + Clone) -> Range<f64> {
        let highest = values.clone().fold(f64::MIN_POSITIVE, f64::max) * 1.05;
        if self.logarithmic {
            let lowest = values.filter(|value| *value > 0.0).fold(highest, f64::min);
            return lowest * 0.9..highest;
        }
        values.fold(0.0, f64::min)..highest
    }
}

/// What was measured of one thing, in the order of `x`.
#[derive(Clone, Debug)]
pub struct Line {
    pub label: String,
    pub points: Vec<(f64, f64)>,
    /// Whether a line goes from point to point.
    pub joined: bool,
}

/// A plot.
#[derive(Clone, Debug)]
pub struct Plot {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

impl Plot {
    pub fn new(title: &str, x: Axis, y: Axis) -> Self {
        Self { title: title.to_owned(), x, y, lines: Vec::new() }
    }

    /// With one more line.
    pub fn line(self, label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.with(label, points, true)
    }

    /// With points that nothing joins.
    pub fn points(self, label: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.with(label, points, false)
    }

    fn with(mut self, label: &str, points: impl IntoIterator<Item = (f64, f64)>, joined: bool) -> Self {
        self.lines.push(Line { label: label.to_owned(), points: points.into_iter().collect(), joined });
        self
    }

    /// What a browser shows. A point without a place on a logarithmic axis is left out.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let (x, y) =
            (self.x.range(points().map(|point| point.0)), self.y.range(points().map(|point| point.1)));
        match (self.x.logarithmic, self.y.logarithmic) {
            (false, false) => self.drawn(x, y),
            (false, true) => self.drawn(x, y.log_scale()),
            (true, false) => self.drawn(x.log_scale(), y),
            (true, true) => self.drawn(x.log_scale(), y.log_scale()),
        }
    }

    fn drawn<X, Y>(&self, x: X, y: Y) -> String
    where
        X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
        Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            area.fill(&WHITE).unwrap();
            let mut chart = ChartBuilder::on(&area)
                .caption(&self.title, ("sans-serif", 18))
                .margin(12)
                .x_label_area_size(44)
                .y_label_area_size(72)
                .build_cartesian_2d(x, y)
                .unwrap();
            chart
                .configure_mesh()
                .light_line_style(TRANSPARENT)
                .x_desc(&self.x.label)
                .y_desc(&self.y.label)
                .x_label_formatter(&|value| short(*value))
                .y_label_formatter(&|value| short(*value))
                .draw()
                .unwrap();
            for (line, colour) in self.lines.iter().zip(COLOURS.into_iter().cycle()) {
                let shown = |(x, y): &&(f64, f64)| {
                    (*x > 0.0 || !self.x.logarithmic) && (*y > 0.0 || !self.y.logarithmic)
                };
                let points: Vec<_> = line.points.iter().filter(shown).copied().collect();
                if line.joined {
                    chart.draw_series(LineSeries::new(points.clone(), colour.stroke_width(2))).unwrap();
                }
                let dots = points.into_iter().map(|point| Circle::new(point, 3, colour.filled()));
                let mark = move |(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], colour.filled());
                chart.draw_series(dots).unwrap().label(&line.label).legend(mark);
            }
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.2))
                .position(SeriesLabelPosition::UpperLeft)
                .draw()
                .unwrap();
            area.present().unwrap();
        }
        svg
    }
}

/// A number with no more digits than a reader of an axis wants.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.3} M", value / 1e6).replace(".000 ", " "),
        size if size >= 10.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_shows_its_title_its_axes_each_line_and_each_point_that_has_a_place() {
        let plot = Plot::new("waits", Axis::linear("containers"), Axis::logarithmic("ms"))
            .line("start", [(1.0, 5.0), (50.0, 40.0)])
            .points("stop", [(1.0, 2.0), (50.0, 0.0)]);
        let svg = plot.svg();
        assert!(svg.starts_with("<svg "), "{svg}");
        let texts = ["waits", "containers", "ms", "start", "stop"];
        assert!(texts.iter().all(|text| svg.lines().any(|line| line == *text)), "{svg}");
        assert_eq!(svg.matches("<circle ").count(), 3, "0 has no logarithm: {svg}");
    }
}
