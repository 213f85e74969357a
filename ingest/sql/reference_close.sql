-- Close the entries that changed, and those that a full list no longer holds.
UPDATE register.reference_entries c SET sys_to = transaction_timestamp()
WHERE c.list = %(list)s AND c.sys_to = 'infinity' AND (
  EXISTS (SELECT FROM incoming i WHERE i.code = c.code AND i.digest <> c.digest)
  OR (%(full)s AND NOT EXISTS (SELECT FROM incoming i WHERE i.code = c.code)))
