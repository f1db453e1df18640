//! Decimal numbers as they are written, for steps: 0.3 is three times 0.1, although no float is.

use serde_json::Number;

/// True if the first number is a multiple of the second, digit by digit.
pub(crate) fn is_multiple(number: &Number, of: &Number) -> bool {
    let (Some((number, exponent)), Some((of, of_exponent))) = (parts(number), parts(of)) else {
        return false;
    };
    if of == 0 {
        return false;
    }
    match exponent - of_exponent {
        _ if number == 0 => true,
        // A number has at most 20 digits, without zeros at its end.
        finer @ ..0 if finer < -18 => false,
        finer @ ..0 => number.is_multiple_of(of * 10_u128.pow(finer.unsigned_abs())),
        coarser => {
            let shift = (0..coarser).fold(1, |shift, _| shift * 10 % of);
            (number % of * shift).is_multiple_of(of)
        }
    }
}

/// The digits without sign and final zeros, and the power of ten.
fn parts(number: &Number) -> Option<(u128, i32)> {
    let text = number.to_string();
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let mut exponent = exponent.parse::<i32>().ok()? - i32::try_from(places.len()).ok()?;
    let mut number = format!("{}{places}", whole.trim_start_matches('-')).parse::<u128>().ok()?;
    while number != 0 && number.is_multiple_of(10) {
        number /= 10;
        exponent += 1;
    }
    Some((number, exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_exact_in_decimals() {
        let is = |number: f64, of: f64| {
            is_multiple(&Number::from_f64(number).unwrap(), &Number::from_f64(of).unwrap())
        };
        for (number, of) in
            [(0.3, 0.1), (-1.0, 0.1), (0.0, 0.5), (1e300, 0.7e-3), (99.99, 0.01), (7.0, 7.0), (2.5, 2.5e-9)]
        {
            assert_eq!(is(number, of), number != 1e300, "{number} of {of}");
        }
        for (number, of) in
            [(0.1 + 0.2, 0.1), (0.35, 0.1), (1e-30, 0.5), (5.0, 7.0), (1.0, 0.0), (1e300, 7.0)]
        {
            assert!(!is(number, of), "{number} of {of}");
        }
        assert!(is(1e300, 0.5) && is(3e22, 3.0));
        assert!(is_multiple(&u64::MAX.into(), &5.into()) && !is_multiple(&u64::MAX.into(), &2.into()));
    }
}
