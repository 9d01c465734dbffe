package lars.client;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import lars.Lars.HostInfo;
import lars.Lars.HostSuccesses;
import lars.Lars.ReportBatch;

/** The datagrams that report gathered successes (message 12). No I/O. */
final class Batch {
    private static final int HOSTS = 1_500; // as many as fit in a datagram
    private static final int MAX_SILENT = 100;
    private static final long MAX_UINT32 = 0xffff_ffffL;

    private Batch() {}

    /** Those that report the successes, older than a failure that another process has reported. */
    static List<byte[]> beforeFailure(ModuleId module, List<Gathered> successes) {
        return encode(module, successes, false, ReportBatch.newBuilder().setBeforeFailure(true));
    }

    /**
     * Those that report the successes and the silent hosts. With {@code watch} above 0 there is one at least: for so
     * many seconds the sender takes notices of the module.
     */
    static List<byte[]> encode(ModuleId module, List<Gathered> successes, List<Host> silent, double watch) {
        ReportBatch.Builder first = ReportBatch.newBuilder().setWatchMs((int) Math.round(watch * 1000));
        silent.stream().limit(MAX_SILENT).forEach(host -> first.addSilent(info(host.address())));
        return encode(module, successes, watch > 0 || !silent.isEmpty(), first);
    }

    private static List<byte[]> encode(
            ModuleId module, List<Gathered> successes, boolean always, ReportBatch.Builder batch) {
        List<byte[]> datagrams = new ArrayList<>();
        for (int start = 0; start < successes.size() || always && start == 0; start += HOSTS) {
            if (start > 0) {
                batch.clearResult().clearSilent().clearWatchMs();
            }
            successes.stream().skip(start).limit(HOSTS).map(Batch::result).forEach(batch::addResult);
            batch.setModid(module.modid()).setCmdid(module.cmdid());
            datagrams.add(Frame.encode(Frame.REPORT_BATCH, batch.build()));
        }
        return datagrams;
    }

    private static HostSuccesses result(Gathered gathered) {
        InetSocketAddress address = gathered.host.address();
        return HostSuccesses.newBuilder()
                .setIp(Ip.number(address.getAddress()))
                .setPort(address.getPort())
                .setSucc((int) Math.min(gathered.calls, MAX_UINT32))
                .setCostUs(Math.round(gathered.cost * 1e6))
                .setTimed((int) Math.min(gathered.timed, MAX_UINT32))
                .build();
    }

    static HostInfo info(InetSocketAddress address) {
        return HostInfo.newBuilder()
                .setIp(Ip.number(address.getAddress()))
                .setPort(address.getPort())
                .build();
    }
}
