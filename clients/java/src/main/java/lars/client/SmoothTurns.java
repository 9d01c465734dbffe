package lars.client;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.random.RandomGenerator;

/**
 * Hosts in turn from a random start: each as often as its weight says, and never in clumps.
 *
 * <p>Equal weights are plain turns. Otherwise the host with the earliest deadline is next, and its deadline moves on by
 * 1 / weight: earliest deadline first, as Envoy's edf_scheduler.h has it.
 */
final class SmoothTurns {
    private static final class Turn {
        final int at;
        double deadline;

        Turn(int at, double deadline) {
            this.at = at;
            this.deadline = deadline;
        }
    }

    private final RandomGenerator random;
    private final PriorityQueue<Turn> queue = new PriorityQueue<>(Comparator.comparingDouble(turn -> turn.deadline));
    private List<HostRecord> hosts = List.of();
    private int at;

    SmoothTurns(RandomGenerator random) {
        this.random = random;
    }

    void rebuild(List<HostRecord> replacement) {
        if (hosts.isEmpty()) {
            at = random.nextInt(replacement.size());
        }
        hosts = replacement;
        queue.clear();
        double first = hosts.get(0).weight;
        if (hosts.stream().anyMatch(host -> host.weight != first)) {
            for (int place = 0; place < hosts.size(); place++) {
                queue.add(new Turn(place, random.nextDouble() / hosts.get(place).weight));
            }
        }
    }

    /** The place, in the list of hosts, of the one whose turn it is. */
    int next() {
        if (queue.isEmpty()) {
            at = at + 1 < hosts.size() ? at + 1 : 0;
            return at;
        }
        Turn turn = queue.poll();
        turn.deadline += 1 / hosts.get(turn.at).weight;
        queue.add(turn);
        return turn.at;
    }
}
