"""The commonest passwords of at least ten characters, which guessers try first; no shorter one is taken.

What rankings of leaked passwords have at the top: runs of digits and of keys, and single words with a number.
"""

_TEXT = """
0000000000 00000000000 000000000000 0123456789 01234567890 0987654321 1111111111 11111111111 111111111111 1122334455
112233445566 1212121212 1231231231 123123123123 1234512345 1234554321 1234567890 12345678900 12345678901 123456789012
1234567890a 1234567890q 1234567891 12345678910 123456789123 1234567899 123456789a 123456789q 12345qwert 1234qwer1234
1234qwerasdf 123qwe123qwe 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc 2222222222 3333333333 4444444444
5555555555 5555555555a 6666666666 7777777777 8888888888 9876543210 9999999999 aaaaaaaaaa abc1234567 abcd123456
abcdefghij abcdefghijk admin12345 admin123456 administrator asdf123456 asdfasdfasdf asdfghjkl1 asdfghjkl123 asdfghjkl;
asdfjkl;asdf baseball123 basketball blink182blink changeme123 changemenow computer123 correcthorse default123
dragon1234 football123 iloveyou12 iloveyou123 iloveyou1234 iloveyouall letmein123 letmein1234 liverpool1 liverpoolfc
manchester master1234 michael123 minecraft1 mypassword mypassword1 nopassword p@ssw0rd12 p@ssw0rd123 p@ssword123
pa55word123 passport123 passw0rd12 passw0rd123 passw0rd1234 passwd1234 password00 password01 password1! password10
password11 password12 password123 password123! password1234 password12345 password123456 password2024 password2025
password2026 password99 passwordpassword pokemon123 princess12 princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc1
qazwsxedc123 qazwsxedcrfv qwer1234qwer qwerasdfzxcv qwert12345 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty
qwertyuiop qwertyuiop1 qwertyuiop123 qwertyuiop[] samsung123 secret1234 starwars12 starwars123 sunshine12 sunshine123
superman12 superman123 temppassword test123456 testtest123 trustno1234 unknown123 welcome123 welcome1234 welcome12345
welcome2024 welcome2025 welcome2026 whatever123 woaini123456 woaini1314 woaini520520 zaq12wsxcde3 zxcvbnm123
zxcvbnm1234
"""

COMMON_PASSWORDS = frozenset(_TEXT.split())
"""In lower case."""
