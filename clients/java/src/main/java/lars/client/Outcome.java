package lars.client;

/** How a call went, where no exception says so. */
public final class Outcome {
    private int retcode;

    Outcome() {}

    /** Reports the call as failed, although no exception ends it. */
    public void fail() {
        fail(1);
    }

    /**
     * Like {@link #fail()}, with a number for the failure.
     *
     * @param retcode any number but 0
     */
    public void fail(int retcode) {
        if (retcode == 0) {
            throw new IllegalArgumentException("retcode 0 is none of a failure: give another number");
        }
        this.retcode = retcode;
    }

    int retcode() {
        return retcode;
    }
}
