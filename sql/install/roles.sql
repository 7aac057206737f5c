-- The roles that rights are granted to: thanopg_reader searches, thanopg_worker embeds. They belong to the cluster, and do not
-- log in: grant them to the roles that do. What they may do is in 90_grants.sql.

DO $$
DECLARE
  role name;
  missing name[] := '{}';
BEGIN
  FOREACH role IN ARRAY ARRAY['thanopg_reader', 'thanopg_worker'] LOOP
    CONTINUE WHEN to_regrole(role) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE ROLE %I', role);
      EXECUTE format('COMMENT ON ROLE %I IS ''rights of thanopg: see schema thanopg''', role);
    EXCEPTION
      WHEN insufficient_privilege THEN
        missing := missing || role;
      WHEN duplicate_object OR unique_violation THEN  -- another database's install, just now
        NULL;
    END;
  END LOOP;
  IF missing <> '{}' THEN
    RAISE WARNING 'this role may not create roles; as an administrator: % then run thanopg install again',
      (SELECT string_agg(format('CREATE ROLE %I;', m), ' ') FROM unnest(missing) m);
  END IF;
END $$;
