package lars.client;

import lars.Lars.ReportRequest;

/** The datagram that reports a call's result. */
final class Report {
    private static final long MAX_COST = 0xffff_ffffL;

    private Report() {}

    /** The datagram; the cost is in seconds, and NaN where it is not known: whole milliseconds on the wire. */
    static byte[] encode(Host host, int retcode, double cost) {
        return Frame.encode(
                Frame.REPORT,
                ReportRequest.newBuilder()
                        .setModid(host.modid())
                        .setCmdid(host.cmdid())
                        .setHost(Batch.info(host.address()))
                        .setRetcode(retcode)
                        .setCostMs((int) Math.min(Math.round(Math.max(0, cost) * 1000), MAX_COST)) // NaN rounds to 0
                        .build());
    }
}
