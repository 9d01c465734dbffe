package lars.client;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.logging.Logger;

/** Runs every test, or those whose names contain the first argument; no test framework is needed. */
final class RunTests {
    private static final List<Class<?>> CLASSES = List.of(
            AgentAddressTest.class,
            HostTest.class,
            HashingTest.class,
            PolicyTest.class,
            ModuleCacheTest.class,
            SavedRoutesTest.class,
            ExchangeTest.class,
            LarsClientTest.class,
            CachedClientTest.class);

    private static final Logger LOG = Logger.getLogger("lars.client"); // kept: otherwise it may be made anew

    private RunTests() {}

    public static void main(String[] arguments) throws ReflectiveOperationException {
        LOG.setUseParentHandlers(false);
        String wanted = arguments.length > 0 ? arguments[0] : "";
        int ran = 0;
        int failed = 0;
        for (Class<?> tests : CLASSES) {
            for (Method test : tests.getDeclaredMethods()) {
                if (test.isAnnotationPresent(Test.class) && test.getName().contains(wanted)) {
                    ran++;
                    failed += passes(tests, test) ? 0 : 1;
                }
            }
        }
        System.out.println(ran + " tests, " + failed + " failed");
        System.exit(failed == 0 && ran > 0 ? 0 : 1);
    }

    private static boolean passes(Class<?> tests, Method test) throws ReflectiveOperationException {
        try {
            test.invoke(tests.getDeclaredConstructor().newInstance());
            return true;
        } catch (InvocationTargetException error) {
            System.out.print(tests.getSimpleName() + "." + test.getName() + " FAILED: ");
            error.getCause().printStackTrace(System.out);
            return false;
        }
    }
}
