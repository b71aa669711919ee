//! Formulas with known values, formulas with known faults, and properties of all of them.

use proptest::prelude::*;

use super::*;

#[test]
fn formulas_have_the_values_of_mathematics() {
    for (formula, value) in [
        ("1", 1.0),
        ("(2+2)*3", 12.0),
        ("2+2*3", 8.0),
        ("7-3-2", 2.0),
        ("8/4/2", 1.0),
        ("7%4", 3.0),
        ("-7%4", -3.0),
        ("7.5%2", 1.5),
        ("2^3^2", 512.0),
        ("(2^3)^2", 64.0),
        ("-2^2", -4.0),
        ("(-2)^2", 4.0),
        ("2^-1", 0.5),
        ("2^-2^2", 0.0625),
        ("2^-1*4", 2.0),
        ("-2*-3", 6.0),
        ("2*-3^2", -18.0),
        ("1--1", 2.0),
        ("1-+-1", 2.0),
        ("+-+1", -1.0),
        ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        (".5+5.", 5.5),
        ("0.1+0.2", 0.1 + 0.2),
        (" \t( 1 +\n2 ) * 3 ", 9.0),
        ("\u{a0}1\u{3000}+ 1", 2.0),
        ("0^0", 1.0),
        ("((((((((((1))))))))))", 1.0),
    ] {
        assert_eq!(evaluate(formula), Ok(value), "{formula:?}");
    }
}

#[test]
fn a_fault_is_named_with_its_place() {
    for (formula, fault, position) in [
        ("", Fault::Ends, 1),
        ("   ", Fault::Ends, 4),
        ("1+", Fault::Ends, 3),
        ("2*(", Fault::Ends, 4),
        ("2+*3", Fault::NoOperand('*'), 3),
        ("()", Fault::NoOperand(')'), 2),
        ("x", Fault::NoOperand('x'), 1),
        ("é+1", Fault::NoOperand('é'), 1),
        ("1+é", Fault::NoOperand('é'), 3),
        ("1 + .", Fault::NoOperand('.'), 5),
        ("1 2", Fault::NoOperator('2'), 3),
        ("2(3)", Fault::NoOperator('('), 2),
        ("(2(3))", Fault::NoOperator('('), 3),
        ("1.2.3", Fault::NoOperator('.'), 4),
        ("1e+", Fault::NoOperator('e'), 2),
        ("(1+2", Fault::Unclosed, 1),
        ("1*((2)", Fault::Unclosed, 3),
        ("1+2)", Fault::Unopened, 4),
        ("1/0", Fault::DivisionByZero, 2),
        ("1 / (2-2)", Fault::DivisionByZero, 3),
        ("1%0", Fault::DivisionByZero, 2),
        ("1/-0", Fault::DivisionByZero, 2),
        ("0^-1", Fault::DivisionByZero, 2),
        ("1e999", Fault::TooLarge, 1),
        ("1e308*10", Fault::TooLarge, 6),
        ("10^400", Fault::TooLarge, 3),
        ("(-8)^(1/3)", Fault::NotReal, 5),
    ] {
        assert_eq!(evaluate(formula), Err(FormulaError { fault, position }), "{formula:?}");
    }
}

#[test]
fn a_fault_reads_well() {
    assert_eq!(
        evaluate("2+*3").unwrap_err().to_string(),
        "'*' where a number or a parenthesis should be at position 3"
    );
    assert_eq!(evaluate("1/0").unwrap_err().to_string(), "division by zero at position 2");
}

#[test]
fn a_hostile_formula_is_refused_and_not_followed() {
    let long = "(".repeat(64 * 1024);
    let too_long = FormulaError { fault: Fault::TooLong, position: LENGTH_MAX + 1 };
    assert_eq!(evaluate(&long), Err(too_long));
    for nest in ["(", "-", "2^", "2^-(", "1+("] {
        let deep = nest.repeat(LENGTH_MAX / nest.len());
        assert_eq!(evaluate(&deep).unwrap_err().fault, Fault::TooDeep, "{nest:?}");
    }
    let just_deep = format!("{}1{}", "(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX));
    assert_eq!(evaluate(&just_deep), Ok(1.0));
    // Length alone is no depth.
    let sum = format!("1{}", "+1".repeat((LENGTH_MAX - 1) / 2));
    assert_eq!(evaluate(&sum), Ok(LENGTH_MAX.div_ceil(2) as f64));
}

/// A formula as a tree: what the parser should find, told independently of how it finds it.
#[derive(Clone, Debug)]
enum Tree {
    Number(u16),
    Minus(Box<Self>),
    Binary(char, Box<Self>, Box<Self>),
}

impl Tree {
    fn value(&self) -> Option<f64> {
        let value = match self {
            Self::Number(number) => f64::from(*number) / 8.0,
            Self::Minus(of) => -of.value()?,
            Self::Binary(operator, left, right) => {
                let (left, right) = (left.value()?, right.value()?);
                match operator {
                    '+' => left + right,
                    '-' => left - right,
                    '*' => left * right,
                    '/' if right != 0.0 => left / right,
                    '%' if right != 0.0 => left % right,
                    '^' => left.powf(right),
                    _ => return None,
                }
            }
        };
        value.is_finite().then_some(value)
    }

    /// The formula with as few parentheses as the rules of precedence allow.
    fn text(&self) -> String {
        match self {
            Self::Number(number) => (f64::from(*number) / 8.0).to_string(),
            Self::Minus(of) => format!("-{}", of.within(3)),
            Self::Binary('^', base, exponent) => format!("{}^{}", base.within(5), exponent.within(3)),
            Self::Binary(operator, left, right) => {
                let rank = self.rank();
                format!("{} {operator} {}", left.within(rank), right.within(rank + 1))
            }
        }
    }

    fn within(&self, rank: u8) -> String {
        if self.rank() < rank { format!("({})", self.text()) } else { self.text() }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Binary('+' | '-', ..) => 1,
            Self::Binary('*' | '/' | '%', ..) => 2,
            Self::Minus(_) => 3,
            Self::Binary(..) => 4,
            Self::Number(_) => 5,
        }
    }
}

fn trees() -> impl Strategy<Value = Tree> {
    any::<u16>().prop_map(Tree::Number).prop_recursive(6, 40, 2, |inner| {
        let operators = prop::sample::select(vec!['+', '-', '*', '/', '%', '^']);
        prop_oneof![
            inner.clone().prop_map(|of| Tree::Minus(Box::new(of))),
            (operators, inner.clone(), inner).prop_map(|(operator, left, right)| Tree::Binary(
                operator,
                Box::new(left),
                Box::new(right)
            )),
        ]
    })
}

proptest! {
    #[test]
    fn a_formula_has_its_trees_value(tree in trees()) {
        prop_assert_eq!(evaluate(&tree.text()).ok(), tree.value(), "{}", tree.text());
    }

    #[test]
    fn no_text_panics_and_every_fault_is_in_it(text in "[-+*/%^() .0-9eé]{0,60}|\\PC{0,60}") {
        if let Err(error) = evaluate(&text) {
            prop_assert!((1..=text.chars().count() + 1).contains(&error.position));
        }
    }
}
