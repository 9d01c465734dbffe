package lars.client;

/** Before each further question about a module whose hosts the agent does not have yet: the same for every client. */
final class Pauses {
    private static final double FIRST = 0.01;
    private static final double LONGEST = 0.1;

    private final double deadline;
    private double pause = FIRST;

    /** The pauses double; the last question is sent at the deadline, in seconds. */
    Pauses(double deadline) {
        this.deadline = deadline;
    }

    /** Sleeps, unless the time is over; whether there is another question to send. */
    boolean slept() throws InterruptedException {
        double left = deadline - Clock.now();
        if (left <= 0) {
            return false;
        }
        Thread.sleep((long) Math.ceil(Math.min(pause, left) * 1000));
        pause = Math.min(2 * pause, LONGEST);
        return true;
    }

    /** The same, but that an interrupted thread stays so, and sends no more questions. */
    boolean sleptUninterrupted() {
        try {
            return slept();
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
