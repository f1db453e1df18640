//! Parses the framing of a response: its head, and the chunks of its body.

/// A head that is longer than this is none.
const MAX_HEAD: usize = 16 << 10;

/// Parses a response from pieces of any size.
#[derive(Debug)]
pub struct Frames {
    state: State,
    status: u16,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    /// A body that ends where the connection does.
    Plain,
    /// In the line before a chunk: its size so far, and whether the digits are over.
    Size(u64, bool),
    /// In a chunk: how much of it is still to come.
    Chunk(u64),
    /// After a chunk: the remaining bytes of its line break.
    Break(u8),
    /// After the last chunk.
    Over,
    Broken,
}

impl Default for Frames {
    fn default() -> Self {
        Self { state: State::Head(Vec::new()), status: 0 }
    }
}

impl Frames {
    /// The answer's status, as soon as the head is there; 0 before.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// True if the chunked body is complete.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// True when this is no answer that is understood here.
    pub fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken)
    }

    /// Appends to `body` what these bytes hold of the body.
    pub fn unpack(&mut self, mut bytes: &[u8], body: &mut Vec<u8>) {
        while let Some(first) = bytes.first().copied() {
            let taken = match &mut self.state {
                State::Head(head) => {
                    let (state, status, taken) = continue_head(std::mem::take(head), bytes);
                    (self.state, self.status) = (state, status);
                    taken
                }
                State::Plain => {
                    body.extend_from_slice(bytes);
                    bytes.len()
                }
                State::Size(size, digits_over) => {
                    match (char::from(first).to_digit(16), first) {
                        (Some(digit), _) if !*digits_over && *size < 1 << 40 => {
                            *size = *size << 4 | u64::from(digit);
                        }
                        (_, b'\n') if *size == 0 => self.state = State::Over,
                        (_, b'\n') => self.state = State::Chunk(*size),
                        (_, b'\r' | b';') => *digits_over = true,
                        _ if *digits_over => {}
                        _ => self.state = State::Broken,
                    }
                    1
                }
                State::Chunk(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    body.extend_from_slice(&bytes[..taken]);
                    *left -= taken as u64;
                    if *left == 0 {
                        self.state = State::Break(2);
                    }
                    taken
                }
                State::Break(left) => {
                    let expected = if *left == 2 { b'\r' } else { b'\n' };
                    self.state = match (first == expected, *left) {
                        (false, _) => State::Broken,
                        (true, 2) => State::Break(1),
                        (true, _) => State::Size(0, false),
                    };
                    1
                }
                State::Over | State::Broken => return,
            };
            bytes = &bytes[taken..];
        }
    }
}

/// The state after these bytes, the status if the head is complete, and how many of the bytes belong to it.
fn continue_head(mut head: Vec<u8>, bytes: &[u8]) -> (State, u16, usize) {
    let before = head.len();
    head.extend_from_slice(bytes);
    let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
        let state = if head.len() > MAX_HEAD { State::Broken } else { State::Head(head) };
        return (state, 0, bytes.len());
    };
    let text = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
    let status = text.strip_prefix("http/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let chunked = text.lines().any(|line| {
        line.split_once(':')
            .is_some_and(|(name, value)| name == "transfer-encoding" && value.trim() == "chunked")
    });
    let state = match status {
        None => State::Broken,
        Some(_) if chunked => State::Size(0, false),
        Some(_) => State::Plain,
    };
    (state, status.unwrap_or(0), end - before)
}
