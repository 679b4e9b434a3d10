use crate::track::Outcome;

crate::group! {
    /// The metrics of notifications.
    pub struct NotificationMetrics: "notifications" {
        /// Notifications, by channel and how their delivery ended
        pub notifications: Counter = "notifications_total" ["channel", "status"] .at_most("channel", 50) .only("status", &Outcome::STATUSES);
        /// Time the delivery of a notification took
        pub duration: Histogram = "notification_delivery_duration_seconds" ["channel"] .at_most("channel", 50);
        /// Notifications that wait for their delivery
        pub queue: Gauge = "notification_queue_size" ["channel"] .at_most("channel", 50);
    }
}

crate::tracker! {
    /// The delivery of a notification: counted by outcome and timed.
    pub struct Delivery: Notification(channel) in NotificationMetrics {
        ended(metrics, outcome, took) {
            metrics.notifications.inc(&(channel, outcome.status()));
            metrics.duration.observe(&(channel,), took.as_secs_f64());
        }
    }
}
