//! Formulas: their grammar, their value, and where and why one has none.
//!
//! A Pratt parser that computes as it reads. From loosest to tightest: `+ -`, then `* / %`, then the
//! signs, then `^`. The last is right-associative and binds tighter than a sign on its left, as in
//! mathematics: `-2^2` is `-4`, and `2^-1` is `0.5`. `%` is the remainder, with the dividend's sign.
//! How a number is written is in `number`.

use crate::number;

#[cfg(test)]
mod tests;

/// The longest formula, in characters.
pub(crate) const LENGTH_MAX: usize = 4096;

/// The deepest nesting, of parentheses, signs and powers together. Each level is a call on the stack.
pub(crate) const DEPTH_MAX: usize = 100;

/// Why a formula has no value, and where: the position counts characters, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at position {position}")]
pub(crate) struct FormulaError {
    pub(crate) fault: Fault,
    pub(crate) position: usize,
}

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("a number or a parenthesis is missing before the formula ends")]
    Ends,
    #[error("{0:?} where a number or a parenthesis should be")]
    NoOperand(char),
    #[error("{0:?} where an operator should be")]
    NoOperator(char),
    #[error("a parenthesis that is never closed opens")]
    Unclosed,
    #[error("a parenthesis that was never opened closes")]
    Unopened,
    #[error("division by zero")]
    DivisionByZero,
    #[error("the result is too large")]
    TooLarge,
    #[error("the power has no real value")]
    NotReal,
    #[error("nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("longer than {LENGTH_MAX} characters")]
    TooLong,
}

/// How tightly operators bind: a parser takes those that bind at least as tightly as it was told.
const SUM: u8 = 1;
const PRODUCT: u8 = 2;
const SIGN: u8 = 3;
const POWER: u8 = 4;

/// The formula's value, which is finite.
pub(crate) fn evaluate(formula: &str) -> Result<f64, FormulaError> {
    let chars: Vec<char> = formula.chars().take(LENGTH_MAX + 1).collect();
    let mut parser = Parser { chars: &chars, at: 0 };
    if chars.len() > LENGTH_MAX {
        return Err(parser.fault(LENGTH_MAX, Fault::TooLong));
    }
    let value = parser.expression(SUM, 0)?;
    match parser.peek() {
        None => Ok(value),
        Some(')') => Err(parser.fault(parser.at, Fault::Unopened)),
        Some(other) => Err(parser.fault(parser.at, Fault::NoOperator(other))),
    }
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
}

impl Parser<'_> {
    /// An operand, and all operators after it that bind at least as tightly as `loosest`.
    fn expression(&mut self, loosest: u8, depth: usize) -> Result<f64, FormulaError> {
        let mut left = self.operand(depth)?;
        while let Some(operator) = self.peek() {
            let (binding, right) = match operator {
                '+' | '-' => (SUM, PRODUCT),
                '*' | '/' | '%' => (PRODUCT, SIGN),
                '^' => (POWER, POWER),
                _ => break,
            };
            if binding < loosest {
                break;
            }
            let position = self.at;
            self.at += 1;
            let right = self.expression(right, depth + 1)?;
            left = apply(operator, left, right).map_err(|fault| self.fault(position, fault))?;
        }
        Ok(left)
    }

    /// A number, or a signed operand, or an expression in parentheses.
    fn operand(&mut self, depth: usize) -> Result<f64, FormulaError> {
        let next = self.peek();
        let start = self.at;
        if depth > DEPTH_MAX {
            return Err(self.fault(start, Fault::TooDeep));
        }
        match next {
            None => Err(self.fault(start, Fault::Ends)),
            Some(sign @ ('+' | '-')) => {
                self.at += 1;
                let value = self.expression(SIGN, depth + 1)?;
                Ok(if sign == '-' { -value } else { value })
            }
            Some('(') => {
                self.at += 1;
                let value = self.expression(SUM, depth + 1)?;
                match self.peek() {
                    Some(')') => self.at += 1,
                    None => return Err(self.fault(start, Fault::Unclosed)),
                    Some(other) => return Err(self.fault(self.at, Fault::NoOperator(other))),
                }
                Ok(value)
            }
            Some(other) => self.number().ok_or_else(|| self.fault(start, Fault::NoOperand(other)))?,
        }
    }

    fn number(&mut self) -> Option<Result<f64, FormulaError>> {
        let start = self.at;
        let text: String = self.chars[start..][..number::length(&self.chars[start..])].iter().collect();
        let value: f64 = text.parse().ok()?;
        self.at += text.len();
        Some(finite(value).map_err(|fault| self.fault(start, fault)))
    }

    /// The next character that is not white space, which `at` then points to.
    fn peek(&mut self) -> Option<char> {
        self.at += self.chars[self.at..].iter().take_while(|c| c.is_whitespace()).count();
        self.chars.get(self.at).copied()
    }

    fn fault(&self, at: usize, fault: Fault) -> FormulaError {
        FormulaError { fault, position: at + 1 }
    }
}

fn apply(operator: char, left: f64, right: f64) -> Result<f64, Fault> {
    match operator {
        '+' => finite(left + right),
        '-' => finite(left - right),
        '*' => finite(left * right),
        '/' | '%' if right == 0.0 => Err(Fault::DivisionByZero),
        '/' => finite(left / right),
        '%' => finite(left % right),
        _ if left == 0.0 && right < 0.0 => Err(Fault::DivisionByZero),
        _ => finite(left.powf(right)),
    }
}

fn finite(value: f64) -> Result<f64, Fault> {
    if value.is_nan() {
        // Of finite numbers, only a power can be none: a negative base with a broken exponent.
        return Err(Fault::NotReal);
    }
    if value.is_infinite() { Err(Fault::TooLarge) } else { Ok(value) }
}
