package lars.client;

import java.time.Duration;
import lars.Lars.HostInfo;
import lars.Lars.ReportRequest;

/** The datagram that reports a call's result. */
final class Report {
    private static final long MAX_COST = 0xffff_ffffL;

    private Report() {}

    /**
     * The datagram.
     *
     * @param cost the time that the call took, or null if that is not known; whole milliseconds on the wire
     */
    static byte[] encode(Host host, int retcode, Duration cost) {
        HostInfo info = HostInfo.newBuilder()
                .setIp(Ip.number(host.address().getAddress()))
                .setPort(host.port())
                .build();
        return Frame.encode(
                Frame.REPORT,
                ReportRequest.newBuilder()
                        .setModid(host.modid())
                        .setCmdid(host.cmdid())
                        .setHost(info)
                        .setRetcode(retcode)
                        .setCostMs(cost == null ? 0 : milliseconds(cost))
                        .build());
    }

    private static int milliseconds(Duration cost) {
        Duration longest = Duration.ofMillis(MAX_COST);
        if (cost.compareTo(longest) >= 0) {
            return (int) MAX_COST;
        }
        return cost.isNegative() ? 0 : (int) cost.plusNanos(500_000).toMillis();
    }
}
