#![doc = include_str!("../docs/healing-guide.md")]

#[cfg(test)]
mod tests {
    use crate::config::HealingPolicy;

    const GUIDE: &str = include_str!("../docs/healing-guide.md");

    /// The default that the guide states in the row of `guard`.
    fn stated(guard: &str) -> &'static str {
        let row = GUIDE
            .lines()
            .find(|line| line.starts_with('|') && line.contains(guard))
            .unwrap();
        row.trim_end_matches(" |").rsplit(" | ").next().unwrap()
    }

    #[test]
    fn the_defaults_in_the_guide_are_those_of_the_policy() {
        let short = |duration: std::time::Duration| match duration.as_secs() {
            seconds @ 0..60 => format!("{seconds}s"),
            seconds @ 60..3_600 => format!("{}m", seconds / 60),
            seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
            seconds => format!("{}d", seconds / 86_400),
        };
        let policy = HealingPolicy::default();
        let budget =
            |budget: crate::config::Budget| format!("{} in {}", budget.max, short(budget.window));
        let confirm = policy.confirm;
        assert_eq!(
            stated("`confirm`"),
            format!("{} of {}", confirm.bad, confirm.of)
        );
        let backoff = policy.backoff;
        let waits = format!(
            "up to {}, at most {}",
            short(backoff.base),
            short(backoff.cap)
        );
        assert_eq!(stated("`backoff`"), waits);
        assert_eq!(stated("`intensity`"), budget(policy.intensity));
        assert_eq!(
            stated("`budget.component`"),
            budget(policy.budget.component)
        );
        let global = format!(
            "{}, {} at once",
            budget(policy.budget.global),
            policy.max_running
        );
        assert_eq!(stated("`budget.global`"), global);
        let kept = policy.budget;
        let kept = format!("{}, {}", kept.kept_per_severity, kept.kept_for_unspent);
        assert_eq!(stated("`budget.kept_per_severity`"), kept);
        let storm = format!(
            "{} of at least {}",
            policy.storm.share, policy.storm.min_components
        );
        assert_eq!(stated("`storm`"), storm);
        let (flap, again) = (policy.flap, policy.recurrence);
        assert_eq!(
            stated("`flap`"),
            format!("{} in {}", flap.heals, short(flap.window))
        );
        assert_eq!(
            stated("`recurrence`"),
            format!("{} in {}", again.heals, short(again.window))
        );
        let settle = format!("{} tries, {}", policy.verify.tries, short(policy.settle));
        assert_eq!(stated("`verify`"), settle);
        let timeout = format!("{}, {}", short(policy.timeout), short(policy.grace));
        assert_eq!(stated("`timeout`"), timeout);
        assert_eq!(stated("`max_zombies`"), policy.max_zombies.to_string());
        let escalation = policy.escalation;
        let never = |after: Option<std::time::Duration>| after.map_or("never".to_owned(), short);
        let levels = [escalation.not_ready_after, escalation.exit_after].map(never);
        let severity = escalation.severity.as_str();
        let chain = format!("{severity}, {}", levels.join(", "));
        assert_eq!(stated("`escalation`"), chain);
        assert_eq!(stated("`escalation.exits`"), budget(escalation.exits));
        let sure = policy.min_confidence;
        let least = format!(
            "{}, {}, {}",
            sure.reversible, sure.disruptive, sure.destructive
        );
        assert_eq!(stated("`min_confidence`"), least);
        assert_eq!(stated("`patience`"), short(policy.patience));
        assert_eq!(stated("`retry_every`"), short(policy.retry_every));
        let limits = policy.limits;
        let open = format!("{}, {}", limits.open, limits.open_per_engine);
        assert_eq!(stated("`limits.open`"), open);
        let modes = policy.modes;
        let word = |mode| {
            serde_json::to_value(mode)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        let by_risk = [modes.reversible, modes.disruptive, modes.destructive]
            .map(word)
            .join(", ");
        assert_eq!(stated("`modes`"), by_risk);
    }
}
