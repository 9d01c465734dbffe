package lars.client;

import java.util.Objects;

/** The assertions of tests. */
final class Check {
    private Check() {}

    /** Code that may throw anything. */
    @FunctionalInterface
    interface Code {
        void run() throws Exception;
    }

    static void equal(Object expected, Object got) {
        if (!Objects.equals(expected, got)) {
            throw new AssertionError("got " + got + ", not " + expected);
        }
    }

    static void holds(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what + " does not hold");
        }
    }

    /** The code throws such an error, whose message contains the text. */
    static <E extends Throwable> void raises(Class<E> type, String text, Code code) {
        try {
            code.run();
        } catch (Throwable error) {
            if (!type.isInstance(error) || !String.valueOf(error.getMessage()).contains(text)) {
                throw new AssertionError("not the expected " + type.getSimpleName() + " \"" + text + "\"", error);
            }
            return;
        }
        throw new AssertionError("no " + type.getSimpleName());
    }
}
