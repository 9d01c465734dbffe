package lars.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.Selector;
import java.util.concurrent.TimeUnit;

/**
 * A client's daemon thread: takes the agent's notices, and sends what was gathered when no next call does. Starts with
 * the first question, and ends with the client. At the end of the process a shutdown hook sends what was gathered.
 */
final class Background implements Runnable, AutoCloseable {
    private static final long ROUND = TimeUnit.SECONDS.toNanos(1);

    private final Core core;
    private final Thread hook;
    private volatile boolean started;
    private boolean closed;
    private Selector selector;

    Background(Core core) {
        this.core = core;
        hook = new Thread(core::flush, "lars-exit");
    }

    /** Starts the thread, unless it has been started. */
    void start() throws IOException {
        if (!started) {
            begin();
        }
    }

    private synchronized void begin() throws IOException {
        if (started || closed) {
            return;
        }
        selector = Selector.open();
        for (Sender sender : core.senders()) {
            sender.notifyOf(selector);
        }
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException ending) { // the process ends: what this call gathers may be lost
            started = true;
            return;
        }
        Thread thread = new Thread(this, "lars-client");
        thread.setDaemon(true);
        thread.start();
        started = true;
    }

    @Override
    public void run() {
        ByteBuffer buffer = ByteBuffer.allocate(RouteQuestion.ROOM);
        long next = System.nanoTime() + ROUND;
        while (selector.isOpen()) {
            try {
                long left = TimeUnit.NANOSECONDS.toMillis(next - System.nanoTime());
                selector.select(
                        key -> ((Sender) key.attachment()).notices(buffer, core::notice), Math.max(1, left));
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            } catch (ClosedSelectorException closing) {
                return;
            }
            if (System.nanoTime() >= next) {
                next = System.nanoTime() + ROUND;
                core.flushOverdue();
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (selector == null) {
            return;
        }
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException ending) { // the process ends: the hook may be running
            return;
        } finally {
            close(selector);
        }
    }

    private static void close(Selector open) {
        try {
            open.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
