package lars.client;

/** One remote service: modid the business, cmdid the function, each 0 to 2^31 - 1, not both 0. */
record ModuleId(int modid, int cmdid) {
    ModuleId {
        check("modid", modid);
        check("cmdid", cmdid);
        if (modid == 0 && cmdid == 0) {
            throw new IllegalArgumentException(
                    "module (0, 0) does not exist: its messages would be empty; choose other ids");
        }
    }

    private static void check(String name, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(
                    "%s %d is out of range: use 0 to %d".formatted(name, value, Integer.MAX_VALUE));
        }
    }

    boolean is(int otherModid, int otherCmdid) {
        return modid == otherModid && cmdid == otherCmdid;
    }

    @Override
    public String toString() {
        return "(" + modid + ", " + cmdid + ")";
    }
}
