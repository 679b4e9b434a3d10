crate::group! {
    /// The errors of an application.
    pub struct ErrorMetrics: "errors" {
        /// Errors, by the component that had them and their type
        pub errors: Counter = "errors_total" ["component", "error_type"] .at_most("component", 100) .at_most("error_type", 200);
    }
}
