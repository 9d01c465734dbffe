package lars.client;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/** The rules by which this process chooses, on a clock of the test. */
final class PolicyTest {
    private static final double CALL = 0.01;

    private final List<HostRecord> hosts = new ArrayList<>();
    private double now = 1;
    private double swept = 1;

    private Policy policy(String name, int... weights) {
        for (int at = 0; at < weights.length; at++) {
            HostRecord host = new HostRecord(Host.of(1, 1, "10.0.0.5", 1 + at));
            host.assigned = weights[at];
            hosts.add(host);
        }
        Policy policy = Policy.of(name, new SplittableRandom(7));
        policy.rebuild(hosts);
        return policy;
    }

    /** Makes calls one after another, each of 5 ms; how many each host has got. */
    private Map<Integer, Integer> called(Policy policy, int calls, Predicate<HostRecord> failing) {
        Map<Integer, Integer> counts = new HashMap<>();
        for (int call = 0; call < calls; call++) {
            now += CALL;
            if (now - swept >= 1) {
                swept = now;
                policy.sweep();
            }
            HostRecord host = policy.pick(0, now);
            counts.merge(host.host.port(), 1, Integer::sum);
            policy.report(host, failing.test(host), 0.005);
        }
        return counts;
    }

    @Test
    void equalHostsTakeTurns() {
        for (String name : List.of("adaptive", "round_robin", "classic", "of a later version")) {
            hosts.clear();
            Check.equal(Map.of(1, 10, 2, 10, 3, 10), called(policy(name, 100, 100, 100), 30, host -> false));
        }
    }

    @Test
    void weightsAreSharesOfCalls() {
        for (String name : List.of("adaptive", "round_robin")) {
            hosts.clear();
            Map<Integer, Integer> counts = called(policy(name, 100, 50, 0), 300, host -> false);
            Check.equal(Set.of(1, 2), counts.keySet());
            Check.holds(Math.abs(counts.get(1) - 200) <= 2, counts + " of 200 and 100");
        }
    }

    @Test
    void hostThatFailsAloneIsEjectedAfterAFewCallsAndOnlyProbed() {
        for (String name : List.of("adaptive", "round_robin", "consistent_hash")) {
            hosts.clear();
            Policy policy = policy(name, 100, 100, 100, 100);
            called(policy, 400, host -> false);
            Predicate<HostRecord> second = host -> host.host.port() == 2;
            int failed = called(policy, 2200, second).get(2);
            Check.holds(failed >= 2 && failed <= 6, name + ": " + failed + " failed, with the probes in 22 s");
            Check.equal(true, hosts.get(1).ejected);
            called(policy, 3000, host -> false);
            Check.equal(false, hosts.get(1).ejected);
            Check.holds(called(policy, 400, host -> false).get(2) > 60, name + ": its share again");
        }
    }

    @Test
    void whatFailsEverywhereEjectsNobody() {
        Policy policy = policy("adaptive", 100, 100, 100);
        called(policy, 300, host -> false);
        called(policy, 300, host -> true);
        Check.equal(0L, hosts.stream().filter(host -> host.ejected).count());
    }

    @Test
    void lastHostIsNeverEjected() {
        Check.equal(Map.of(1, 100), called(policy("adaptive", 100), 100, host -> true));
    }

    @Test
    void busyHostGetsFewerCalls() {
        Policy policy = policy("adaptive", 100, 100);
        for (int call = 0; call < 20; call++) {
            now += CALL;
            HostRecord host = policy.pick(0, now);
            if (host.host.port() == 2) {
                policy.report(host, false, 0.005); // and the first host does not answer
            }
        }
        Check.holds(hosts.get(0).inFlight <= 2, hosts.get(0).inFlight + " calls wait");
    }

    @Test
    void callsThatAreNeverReportedAreForgotten() {
        Policy policy = policy("adaptive", 100, 100);
        for (int call = 0; call < 10; call++) {
            policy.pick(0, now += CALL);
        }
        called(policy, 2000, host -> false);
        Check.equal(0, hosts.get(0).inFlight + hosts.get(1).inFlight);
    }

    @Test
    void slowHostIsPenalized() {
        Policy policy = policy("adaptive", 100, 100, 100);
        Map<Integer, Integer> counts = new HashMap<>();
        for (int call = 0; call < 1000; call++) {
            HostRecord host = policy.pick(0, now += CALL);
            counts.merge(host.host.port(), 1, Integer::sum);
            policy.report(host, false, host.host.port() == 3 ? 0.1 : 0.005);
        }
        Check.holds(counts.get(3) < 200 && counts.get(3) > 5, counts + ": the third is slow");
    }

    @Test
    void hostOfWhichAnotherProcessHasFailedIsPassedOver() {
        Policy policy = policy("adaptive", 100, 100, 100);
        called(policy, 300, host -> false);
        policy.failedElsewhere(hosts.get(0), 0.005);
        policy.silent(hosts.get(1));
        Check.equal(false, policy.adopt(hosts.get(0)));
        Check.equal(true, policy.adopt(hosts.get(2)));
        policy.report(hosts.get(2), false, 0.005);
        Set<Integer> picked = new HashSet<>();
        for (int call = 0; call < 3; call++) {
            picked.add(policy.pick(0, now += CALL).host.port());
        }
        Check.holds(picked.contains(3) && !hosts.get(0).ejected, picked + ", and nobody ejected");
    }

    @Test
    void loadIsShedWhileMostCallsFailByBeingSlow() {
        Policy policy = policy("adaptive", 100, 100);
        called(policy, 300, host -> false);
        int refused = 0;
        for (int call = 0; call < 1000; call++) {
            now += CALL;
            if (call % 100 == 0) {
                policy.sweep();
            }
            HostRecord host = policy.pick(0, now);
            refused += host == null ? 1 : 0;
            if (host != null) {
                policy.report(host, true, 1.0);
            }
        }
        Check.holds(refused > 300, refused + " of 1000 calls were refused");
    }

    @Test
    void joiningHostStartsSlowly() {
        Policy policy = policy("round_robin", 100, 100, 100);
        called(policy, 300, host -> false);
        HostRecord fourth = new HostRecord(Host.of(1, 1, "10.0.0.5", 4));
        fourth.assigned = 100;
        hosts.add(fourth);
        policy.rebuild(hosts);
        Check.holds(called(policy, 40, host -> false).getOrDefault(4, 0) <= 6, "less than its share");
        called(policy, 400, host -> false);
        Check.holds(called(policy, 40, host -> false).get(4) >= 8, "its share");
    }
}
