/// A label for `measured`, whose quickest ones are enums: this is an enum with so many values that
/// it is a number. The benchmark that calls it brings `measured`.
#[macro_export]
macro_rules! measured_label {
    ($name:ident, $count:expr, $text:expr) => {
        #[derive(Clone, Copy)]
        struct $name(usize);

        impl measured::FixedCardinalityLabel for $name {
            fn cardinality() -> usize {
                $count
            }
            fn encode(&self) -> usize {
                self.0
            }
            fn decode(value: usize) -> Self {
                Self(value)
            }
        }

        impl measured::label::LabelValue for $name {
            fn visit<V: measured::label::LabelVisitor>(&self, visitor: V) -> V::Output {
                static TEXTS: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
                let texts = TEXTS.get_or_init(|| (0..$count).map($text).collect());
                visitor.write_str(&texts[self.0])
            }
        }
    };
}
