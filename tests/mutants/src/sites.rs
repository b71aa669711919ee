//! What a mistake is about, found by the place of what it changes: places count bytes, from the start of a file.

use std::collections::HashMap;
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, ExprBinary, ExprMatch, ExprStruct, ExprUnary};

/// What mistakes are about, by the place of what they change.
#[derive(Debug, Default)]
pub struct Sites {
    /// Of an operator, or of a field: the expression that it is part of.
    pub whole: HashMap<usize, Range<usize>>,
    /// Operators between conditions of which one is a `let`: there is none but `&&`.
    pub chained: Vec<usize>,
    pub arms: HashMap<usize, Arm>,
}

/// What is about an arm.
#[derive(Debug)]
pub struct Arm {
    pub pattern_end: usize,
    pub guard: Option<Range<usize>>,
    pub whole_match: Range<usize>,
    pub last_has_comma: bool,
}

impl Sites {
    pub fn of(text: &str) -> Result<Self, syn::Error> {
        let mut sites = Self::default();
        sites.visit_file(&syn::parse_file(text)?);
        Ok(sites)
    }
}

impl<'ast> Visit<'ast> for Sites {
    fn visit_expr_binary(&mut self, expr: &'ast ExprBinary) {
        let at = expr.op.span().byte_range().start;
        self.whole.insert(at, expr.span().byte_range());
        if is_let(&expr.left) || is_let(&expr.right) {
            self.chained.push(at);
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'ast ExprUnary) {
        self.whole.insert(expr.op.span().byte_range().start, expr.span().byte_range());
        visit::visit_expr_unary(self, expr);
    }

    fn visit_expr_struct(&mut self, expr: &'ast ExprStruct) {
        for field in &expr.fields {
            self.whole.insert(field.span().byte_range().start, expr.span().byte_range());
        }
        visit::visit_expr_struct(self, expr);
    }

    fn visit_expr_match(&mut self, expr: &'ast ExprMatch) {
        for arm in &expr.arms {
            let about = Arm {
                pattern_end: arm.pat.span().byte_range().end,
                guard: arm.guard.as_ref().map(|(_, guard)| guard.span().byte_range()),
                whole_match: expr.span().byte_range(),
                last_has_comma: expr.arms.last().is_some_and(|last| last.comma.is_some()),
            };
            self.arms.insert(arm.span().byte_range().start, about);
        }
        visit::visit_expr_match(self, expr);
    }

    // What is constant is computed before any switch can be asked.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
}

/// Whether it is a `let`, or a chain with one.
fn is_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => {
            matches!(binary.op, syn::BinOp::And(_)) && (is_let(&binary.left) || is_let(&binary.right))
        }
        _ => false,
    }
}
