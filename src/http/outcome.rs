/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// The whole response was handed over.
    Complete,
    /// The future or the body was dropped before its end: the client disconnected, or a layer above
    /// gave up.
    Dropped,
    /// The service or the body returned an error.
    Failed,
    /// The service or the body panicked.
    Panicked,
}

/// The end of a request together with the status that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Outcome {
    /// The status code of the response; 0 before there is one.
    pub(super) sent: u16,
    pub(super) end: End,
}

/// nginx's log status for a client that closed the connection before the response. No RFC assigns
/// 499, so it is not mistaken for a response of the application.
const CLIENT_CLOSED: u16 = 499;

const INTERNAL_ERROR: u16 = 500;

impl Outcome {
    /// The value of the label `status`: the end overrides the headers, since an incomplete response
    /// after `200 OK` served no one.
    #[inline]
    pub(super) fn status(self) -> u16 {
        match self.end {
            End::Complete => self.sent,
            End::Dropped => CLIENT_CLOSED,
            End::Failed | End::Panicked => INTERNAL_ERROR,
        }
    }

    /// Whether the server served the request; errors of the client count as served.
    #[inline]
    pub(super) fn is_good(self) -> bool {
        !(500..600).contains(&self.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_counts_over_the_headers() {
        let status = |sent, end| Outcome { sent, end }.status();
        assert_eq!(status(201, End::Complete), 201);
        assert_eq!(status(200, End::Dropped), 499);
        assert_eq!(status(0, End::Dropped), 499);
        assert_eq!(status(200, End::Failed), 500);
        assert_eq!(status(0, End::Panicked), 500);
    }

    #[test]
    fn only_what_the_server_got_wrong_is_bad() {
        let is_good = |sent, end| Outcome { sent, end }.is_good();
        for sent in [101, 200, 304, 404, 499, 600] {
            assert!(is_good(sent, End::Complete), "{sent}");
            assert!(!is_good(sent, End::Failed), "{sent}");
        }
        assert!(is_good(0, End::Dropped) && !is_good(0, End::Panicked));
        assert!(!is_good(500, End::Complete) && !is_good(599, End::Complete));
    }
}
